/** `starling runs`: live runs, through the node that runs here or from the nodes that were named. */
import { silentLog } from "../../core/index.ts";
import { type RunListing, connectControl, decodeRunAddress, findRuns } from "../../node/index.ts";
import { describeRuns } from "../describe-runs.ts";
import { onStopSignal } from "../signals.ts";

export interface RunsArguments {
  readonly data: string;
  readonly bootstrap: string[];
  readonly local: boolean;
  readonly json: boolean;
}

export async function runs(addresses: readonly string[], given: RunsArguments): Promise<void> {
  const named = [...given.bootstrap, ...addresses.flatMap((address) => decodeRunAddress(address).peers)];
  const found = await find(named, given);
  process.stdout.write(given.json ? `${JSON.stringify(found, null, 2)}\n` : describeRuns(found));
}

async function find(bootstrap: readonly string[], { data, local }: RunsArguments): Promise<RunListing[]> {
  const daemon = bootstrap.length === 0 ? await connectControl(data) : undefined;
  if (daemon !== undefined) return daemon.runs();
  const stopping = new AbortController();
  using _signals = onStopSignal(() => stopping.abort(new Error("stopped")));
  return findRuns({ bootstrap, localAddresses: local, log: silentLog, signal: stopping.signal });
}

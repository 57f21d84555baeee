/** `starling pause` and `starling resume`. */
import { StarlingError } from "../../core/index.ts";
import { type ControlClient, connectControl } from "../../node/index.ts";

export interface PauseArguments {
  readonly data: string;
}

export async function pause({ data }: PauseArguments): Promise<void> {
  const { pausedWhy } = await (await daemonOf(data)).pause();
  process.stderr.write(`paused: ${pausedWhy}; go on with "starling resume"\n`);
}

export async function resume({ data }: PauseArguments): Promise<void> {
  const { pausedWhy } = await (await daemonOf(data)).resume();
  process.stderr.write(pausedWhy === null ? "resumed\n" : `resumed, but still paused: ${pausedWhy}\n`);
}

/** Throws `NOT_RUNNING`. */
export async function daemonOf(data: string): Promise<ControlClient> {
  const daemon = await connectControl(data);
  if (daemon !== undefined) return daemon;
  throw new StarlingError(
    "NOT_RUNNING",
    `expected a node that runs on ${data}, found none; name its folder with --data, or start one`,
  );
}

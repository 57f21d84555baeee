/** `starling doctor`: every check, one after the other, each told as soon as it is done. */
import { stat } from "node:fs/promises";
import { type Clock, systemClock } from "../../core/index.ts";
import { connectControl } from "../control/client.ts";
import { checkEngines } from "./engines.ts";
import type { Symptom } from "./finding.ts";
import { checkClock, checkDisk, checkMemory, checkNode } from "./host.ts";
import { checkNat, checkPeers, checkPort, checkRunning } from "./network.ts";

export interface DoctorOptions {
  readonly dataDir: string;
  /** Where a node would listen. */
  readonly listen: readonly string[];
  /** Of nodes that should answer. */
  readonly peers: readonly string[];
  readonly threads: number;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

export async function* examine(o: DoctorOptions): AsyncGenerator<Symptom> {
  const { dataDir, clock = systemClock } = o;
  yield checkNode(process.version);
  yield checkMemory(process.availableMemory());
  yield await checkDisk(dataDir, clock);
  // Packages keep the time of their making or set one long ago; either is before now.
  const { mtimeMs } = await stat(new URL("../../../package.json", import.meta.url));
  yield await checkClock({ clock, wallMs: () => new Date().getTime(), releasedMs: mtimeMs });
  yield* await checkEngines(o.threads, o.signal);
  const node = await connectControl(dataDir);
  if (node !== undefined) return yield* checkRunning(await node.status());
  for (const address of o.listen) yield await checkPort(address);
  yield checkNat();
  yield await checkPeers(o.peers);
}

/** One node alone, for comparison: the same model, text and start weights, without a flock. */
import { availableParallelism } from "node:os";
import { silentLog } from "../../src/core/index.ts";
import { type NodeStatus, readManifestFile, trainAlone } from "../../src/node/index.ts";
import { dataDirOf } from "./daemon.ts";
import type { FlockEnd } from "./flock.ts";
import type { TestnetFiles } from "./options.ts";
import type { Baseline } from "./report.ts";

/** Trains with every core: the result does not depend on their number. */
export async function trainBaseline(dir: string, files: TestnetFiles, end: FlockEnd): Promise<Baseline> {
  const manifest = await readManifestFile(files.manifest);
  const steps = stepsPerNode(end.live);
  process.stderr.write(`one node alone trains ${steps} steps, for comparison\n`);
  const { validationLossLastNats, curve } = await trainAlone({
    manifest,
    // The first node's, which has stopped.
    dataDir: dataDirOf(dir, "node-1"),
    steps,
    threads: availableParallelism(),
    log: silentLog,
  });
  return { steps, validationLossLastNats, curve };
}

/** Inner steps that one node contributed to the settled weights: the mean of those that lived to the end; at least 1. */
export function stepsPerNode(live: readonly Pick<NodeStatus, "stepsSettled">[]): number {
  const steps = live.map(({ stepsSettled }) => stepsSettled).reduce((a, b) => a + b, 0);
  return Math.max(1, Math.round(steps / Math.max(1, live.length)));
}

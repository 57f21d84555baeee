/** One node alone, for comparison: the last phase's model from fresh weights on the same text, without a flock. */
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
    phase: manifest.phases.length - 1,
    steps,
    threads: availableParallelism(),
    log: silentLog,
  });
  return { steps, validationLossLastNats, curve };
}

/** Inner steps that one node contributed to the last phase: the mean of those that did and lived to the end; at least 1. */
export function stepsPerNode(live: readonly Pick<NodeStatus, "stepsSettled">[]): number {
  // Who came to the last phase of a ladder when it was over has none in it.
  const steps = live.map(({ stepsSettled }) => stepsSettled).filter((own) => own > 0);
  return Math.max(1, Math.round(steps.reduce((a, b) => a + b, 0) / Math.max(1, steps.length)));
}

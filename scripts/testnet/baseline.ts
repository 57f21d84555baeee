/** One node alone, for comparison: the same model, text and start weights, without a flock. */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { count } from "../../src/cli/index.ts";
import { readManifestFile, trainAlone } from "../../src/node/index.ts";
import type { TestnetFiles } from "./options.ts";
import type { Baseline } from "./report.ts";

/** `steps` inner steps with every core; the results do not depend on their number. */
export async function trainBaseline(files: TestnetFiles, steps: number): Promise<Baseline> {
  process.stderr.write(`one node alone trains ${count(steps)} steps, for comparison\n`);
  const manifest = await readManifestFile(files.manifest);
  const text = new Uint8Array(await readFile(files.text));
  const { validationLossLastNats, curve } = await trainAlone({
    manifest,
    text,
    steps,
    threads: availableParallelism(),
  });
  return { steps, validationLossLastNats, curve };
}

/** The settled states that phases ended with, on the disk: what `starling export --phase` reads, beside a running node too. */
import { join } from "node:path";
import { type Logger, StarlingError } from "../../core/index.ts";
import {
  type CheckpointStore,
  createBlockStore,
  openCheckpoints,
  readRun,
  writeFiles,
} from "../../storage/index.ts";
import { decodeWeights } from "../../trainer/index.ts";
import { readStoredData } from "../data/run-data.ts";
import { PHASES_MAX } from "../run/ladder.ts";
import { decodeManifest, phaseOf } from "../run/manifest.ts";
import { modelCard } from "../model/card.ts";
import { modelFolderFiles } from "../model/folder.ts";
import { emptyFolder, readStatusFile } from "../offline/offline.ts";

const FOLDER = "phases";
/** Two of each phase: one that ended otherwise in a history which lost may be there too. */
const KEPT = 2 * PHASES_MAX;

export function phaseEndsPath(dataDir: string): string {
  return join(dataDir, FOLDER);
}

export function openPhaseEnds(dataDir: string, log: Logger): CheckpointStore {
  return openCheckpoints(phaseEndsPath(dataDir), { keep: KEPT, log });
}

/**
 * Exports the model that a phase ended with; the names of the files. Takes no lock.
 * @throws StarlingError `CHECKPOINT_MISSING`, `DATA_DIR_EMPTY`, `PHASE_UNKNOWN`, and the disk's codes
 */
export async function exportPhase(
  dataDir: string,
  { phase, out }: { phase: number; out: string },
  log: Logger,
): Promise<string[]> {
  const run = await readRun(dataDir);
  if (run === undefined) throw emptyFolder(dataDir);
  const blocks = createBlockStore({ dir: join(dataDir, "blocks"), temporaryDir: join(dataDir, "tmp"), log });
  const [block, end] = await Promise.all([blocks.get(run), openPhaseEnds(dataDir, log).latestOf(phase)]);
  if (block === undefined || end === undefined) {
    const message = `expected the end of phase ${phase} in ${dataDir}, got none: this node has not seen it end, or it is the last`;
    throw new StarlingError("CHECKPOINT_MISSING", message);
  }
  const manifest = decodeManifest(block);
  const { model } = phaseOf(manifest, phase);
  const data = await readStoredData(blocks, manifest);
  const seen = (await readStatusFile(dataDir))?.phases[phase];
  const { round, root, weightsRoot } = end.meta;
  const card = modelCard({
    manifest,
    data,
    phase,
    settled: { round, root, weightsRoot },
    tokensTotal: null,
    contributors: [],
    lossFirstNats: seen?.lossFirst ?? null,
    lossLastNats: seen?.lossLast ?? null,
  });
  const weights = decodeWeights(model, end.weights);
  const files = modelFolderFiles({ model, weights, tokenizerFile: data.tokenizerFile, card });
  await writeFiles(out, files);
  return [...files.keys()];
}

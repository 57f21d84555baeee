/** `starling export` where no node runs. */
import { type Logger, StarlingError } from "../../core/index.ts";
import { writeFiles } from "../../storage/index.ts";
import { decodeWeights } from "../../trainer/index.ts";
import { contributorsOf } from "../credits/credits.ts";
import { readStoredData } from "../data/run-data.ts";
import { readHistory } from "./history.ts";
import { decodeManifest, phaseOf } from "../run/manifest.ts";
import { modelCard } from "../model/card.ts";
import { modelFolderFiles } from "../model/folder.ts";
import { readStatusFile, withFolder } from "./offline.ts";

/**
 * Exports the folder's latest settled checkpoint.
 * @throws StarlingError `CHECKPOINT_MISSING`, `DATA_DIR_EMPTY`
 */
export async function exportOffline(dataDir: string, out: string, log: Logger): Promise<string[]> {
  return withFolder(dataDir, log, async ({ store, run }) => {
    const checkpoint = await store.checkpoints.latest();
    const block = await store.blocks.get(run);
    if (checkpoint === undefined || block === undefined) {
      const message = `expected a settled checkpoint in ${dataDir}, got none: let the node run until rounds have settled`;
      throw new StarlingError("CHECKPOINT_MISSING", message);
    }
    const manifest = decodeManifest(block);
    const { phase, round, root, weightsRoot } = checkpoint.meta;
    const { model } = phaseOf(manifest, phase);
    const data = await readStoredData(store.blocks, manifest);
    const views = await readHistory(store, { run, manifest }).catch((error: unknown) => {
      // Who joined late has the weights all the same; the card then names no contributors.
      if (error instanceof StarlingError && error.code === "HISTORY_PARTIAL") return [];
      throw error;
    });
    const last = await readStatusFile(dataDir);
    const card = modelCard({
      manifest,
      data,
      phase,
      settled: { round, root, weightsRoot },
      tokensTotal: views[phase]?.includedTokens() ?? null,
      contributors: contributorsOf({ run, manifest, views }),
      lossFirstNats: last?.validationLossFirstNats ?? null,
      lossLastNats: last?.validationLossLastNats ?? last?.validationLossNats ?? null,
    });
    const weights = decodeWeights(model, checkpoint.weights);
    const files = modelFolderFiles({ model, weights, tokenizerFile: data.tokenizerFile, card });
    await writeFiles(out, files);
    return [...files.keys()];
  });
}

/** `starling train`: one node alone, and a folder with the model at the end. */
import { bytesOf, rootOfBytes } from "../../core/index.ts";
import { writeFiles } from "../../storage/index.ts";
import { type AloneOptions, type AloneResult, trainAlone } from "./alone.ts";
import { limitsOf, phaseOf } from "../run/manifest.ts";
import { modelCard } from "./card.ts";
import { modelFolderFiles } from "./folder.ts";

export interface TrainOptions extends Omit<AloneOptions, "steps"> {
  /** Default: what the run's budget comes to. */
  readonly steps?: number;
  readonly out: string;
}

export interface TrainedFolder extends Omit<AloneResult, "weights" | "data"> {
  readonly weightsRoot: string;
  /** Names of what was written. */
  readonly files: readonly string[];
}

/** @throws StarlingError what `trainAlone` does, `DISK_FULL`, `DISK_WRITE_FAILED` */
export async function trainToFolder({ out, steps, ...options }: TrainOptions): Promise<TrainedFolder> {
  const { manifest } = options;
  const { model, tokensBudget } = phaseOf(manifest, 0);
  const { tokensPerStep } = limitsOf(manifest, 0);
  const { data, weights, ...result } = await trainAlone({
    ...options,
    steps: steps ?? Math.ceil(tokensBudget / tokensPerStep),
  });
  const card = modelCard({
    manifest,
    data,
    phase: 0,
    settled: null,
    tokensTotal: result.stepsDone * tokensPerStep,
    contributors: [],
    lossFirstNats: result.validationLossFirstNats,
    lossLastNats: result.validationLossLastNats,
  });
  const files = modelFolderFiles({ model, weights, tokenizerFile: data.tokenizerFile, card });
  await writeFiles(out, files);
  return { ...result, weightsRoot: rootOfBytes(bytesOf(weights)), files: [...files.keys()] };
}

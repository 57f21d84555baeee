/** What a model in a folder is good for without a run: it writes, and it is measured. */
import { toFloats } from "../../core/index.ts";
import { Decoder, type GenerateOptions, generate } from "../../trainer/index.ts";
import { TEXT_FIELD } from "../data/add.ts";
import { type FileProgress, documentsAt } from "../data/files.ts";
import { tokenizerOf } from "../data/run-data.ts";
import { type Evaluation, measure } from "./measure.ts";
import { readModelFolder } from "./folder.ts";

/** @throws StarlingError what `readModelFolder` does, `TOKENIZER_INVALID`, `ENGINE_UNAVAILABLE` */
export async function* generateFromFolder(
  dir: string,
  options: GenerateOptions,
  { threads }: { threads: number },
): AsyncGenerator<string> {
  const { model, weights, tokenizerFile } = await readModelFolder(dir);
  const decoder = await Decoder.open({ model, weights: toFloats(weights), threads });
  try {
    yield* generate(decoder, tokenizerOf(tokenizerFile), options);
  } finally {
    await decoder.close();
  }
}

/**
 * The loss of a model on the text of a file or folder.
 * @throws StarlingError what `readModelFolder` and `measure` do, `TOKENIZER_INVALID`, `TEXT_UNREADABLE`, `DATA_INVALID`
 */
export async function evaluateFolder(
  dir: string,
  o: { textPath: string; field?: string; threads: number; onProgress?: (progress: FileProgress) => void },
): Promise<Evaluation> {
  const { model, weights, tokenizerFile } = await readModelFolder(dir);
  return measure(
    {
      model,
      weights: toFloats(weights),
      tokenizer: tokenizerOf(tokenizerFile),
      threads: o.threads,
    },
    documentsAt(o.textPath, { field: o.field ?? TEXT_FIELD, onProgress: o.onProgress }),
  );
}

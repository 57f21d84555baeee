/** `starling tokenizer train`: a tokenizer.json from what somebody has, read once. */
import { StarlingError } from "../../core/index.ts";
import { WordCounts, piecesOf, trainTokenizer } from "../../trainer/index.ts";
import { TEXT_FIELD } from "../data/add.ts";
import { type FileProgress, documentsAt } from "../data/files.ts";

export interface TokenizerTraining {
  readonly textPath: string;
  /** All tokens together: 256 bytes, merges, and one that ends documents. */
  readonly vocabulary: number;
  readonly field?: string;
  readonly onProgress?: (progress: FileProgress) => void;
  readonly onMerge?: (done: number, of: number) => void;
}

/** @throws StarlingError `TEXT_UNREADABLE`, `TEXT_EMPTY`, `DATA_INVALID` */
export async function trainTokenizerOn(o: TokenizerTraining): Promise<Uint8Array> {
  const words = new WordCounts();
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let bytesDone = 0;
  for await (const { bytes } of piecesOf(
    documentsAt(o.textPath, { field: o.field ?? TEXT_FIELD, onProgress: o.onProgress }),
  )) {
    words.add(decoder.decode(bytes));
    bytesDone += bytes.length;
  }
  if (bytesDone === 0) throw new StarlingError("TEXT_EMPTY", `expected text at ${o.textPath}, got none`);
  return trainTokenizer(words, { vocabulary: o.vocabulary, onMerge: o.onMerge });
}

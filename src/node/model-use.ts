/** What a model in a folder is good for without a run: it writes, and it is measured. */
import { StarlingError, fromFixed } from "../core/index.ts";
import { Decoder, type GenerateOptions, generate, openEvaluator, piecesOf } from "../trainer/index.ts";
import { TEXT_FIELD } from "./data/add.ts";
import { type FileProgress, documentsAt } from "./data/files.ts";
import { tokenizerOf } from "./data/run-data.ts";
import { readModelFolder } from "./model-folder.ts";

/** @throws StarlingError what `readModelFolder` does, `TOKENIZER_INVALID`, `ENGINE_UNAVAILABLE` */
export async function* generateFromFolder(
  dir: string,
  options: GenerateOptions,
  { threads }: { threads: number },
): AsyncGenerator<string> {
  const { model, weights, tokenizerFile } = await readModelFolder(dir);
  const decoder = await Decoder.open({ model, weights: Float32Array.from(weights, fromFixed), threads });
  try {
    yield* generate(decoder, tokenizerOf(tokenizerFile), options);
  } finally {
    await decoder.close();
  }
}

export interface Evaluation {
  readonly natsPerToken: number;
  /** natsPerToken * tokens / bytes / ln 2: what can be compared between tokenizers. */
  readonly bitsPerByte: number;
  /** Of the text. */
  readonly bytes: number;
  readonly tokens: number;
  /** All but the first token, and those at the end that do not fill a context. */
  readonly tokensPredicted: number;
}

/**
 * The mean loss of a model on a text, context after context; documents follow each other as they do in training.
 * @throws StarlingError the same, `TEXT_UNREADABLE`, `DATA_INVALID`, `DATA_TOO_SHORT`
 */
export async function evaluateFolder(
  dir: string,
  o: { textPath: string; field?: string; threads: number; onProgress?: (progress: FileProgress) => void },
): Promise<Evaluation> {
  const { model, weights, tokenizerFile } = await readModelFolder(dir);
  const tokenizer = tokenizerOf(tokenizerFile);
  const documents = documentsAt(o.textPath, { field: o.field ?? TEXT_FIELD, onProgress: o.onProgress });
  const evaluator = await openEvaluator({
    model,
    weights: Float32Array.from(weights, fromFixed),
    threads: o.threads,
  });
  const T = model.contextLength;
  let counts = { bytes: 0, tokens: 0 };
  let windows = 0;
  let nats = 0;
  let rest: number[] = [];
  try {
    for await (const { bytes, endsDocument } of piecesOf(documents)) {
      const end = endsDocument && tokenizer.endToken !== null ? [tokenizer.endToken] : [];
      const tokens = [...Array.from(tokenizer.encodeBytes(bytes)), ...end];
      counts = { bytes: counts.bytes + bytes.length, tokens: counts.tokens + tokens.length };
      rest = rest.concat(tokens);
      let at = 0;
      for (; at + T < rest.length; at += T, windows++) {
        nats += await evaluator.loss(Int32Array.from(rest.slice(at, at + T + 1)));
      }
      rest = rest.slice(at);
    }
  } finally {
    await evaluator.close();
  }
  if (windows === 0) {
    const message = `expected at least ${T + 1} tokens (one context and its last target), got ${counts.tokens}`;
    throw new StarlingError("DATA_TOO_SHORT", message);
  }
  const natsPerToken = nats / windows;
  const bitsPerByte = (natsPerToken * counts.tokens) / counts.bytes / Math.LN2;
  return { natsPerToken, bitsPerByte, ...counts, tokensPredicted: windows * T };
}

/** How well a model predicts a text. */
import { StarlingError } from "../../core/index.ts";
import {
  type DocumentPart,
  type ModelConfig,
  type Tokenizer,
  openEvaluator,
  piecesOf,
} from "../../trainer/index.ts";

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

export interface MeasuredModel {
  readonly model: ModelConfig;
  /** (P,); must not change meanwhile. */
  readonly weights: Float32Array;
  readonly tokenizer: Tokenizer;
  readonly threads: number;
}

/**
 * The mean loss of a model on a text, context after context; documents follow each other as they do in training.
 * @throws StarlingError `DATA_TOO_SHORT`, `ENGINE_UNAVAILABLE`, and what reading `documents` rejects with
 */
export async function measure(
  { model, weights, tokenizer, threads }: MeasuredModel,
  documents: AsyncIterable<DocumentPart>,
): Promise<Evaluation> {
  const evaluator = await openEvaluator({ model, weights, threads });
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

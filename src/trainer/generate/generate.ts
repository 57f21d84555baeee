/** Text from a model, one token after another. */
import { SeededRandom } from "../../core/index.ts";
import type { Decoder } from "../engine/decoder.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { sampleToken, type SampleOptions } from "./sample.ts";
import { TextStream } from "./text-stream.ts";

export interface GenerateOptions extends SampleOptions {
  readonly prompt: string;
  /** Fewer when the model ends the text. */
  readonly tokensMax: number;
  readonly seed: string;
}

export interface DrawOptions extends SampleOptions {
  readonly tokensMax: number;
  readonly seed: string;
  /** What ends the text when it is drawn. */
  readonly endTokens: ReadonlySet<number>;
}

/** What a prompt of nothing begins with. */
export const LINE_BREAK = "\n";

/**
 * The tokens that follow 1 to T tokens, as they are drawn; true at the end when the model ended the text. When the context
 * is full, its second half is read again as if it were the beginning, and the text goes on.
 */
export async function* drawTokens(
  decoder: Decoder,
  prompt: ArrayLike<number>,
  o: DrawOptions,
): AsyncGenerator<number, boolean> {
  const { contextLength } = decoder.model;
  const random = new SeededRandom(o.seed);
  const context = Array.from(prompt);
  decoder.reset();
  let logits = await decoder.append(context);
  for (let i = 0; i < o.tokensMax; i++) {
    const token = sampleToken(logits, o, random);
    if (o.endTokens.has(token)) return true;
    yield token;
    context.push(token);
    if (i + 1 === o.tokensMax) break;
    if (decoder.length === contextLength) {
      context.splice(0, context.length - Math.ceil(contextLength / 2));
      decoder.reset();
      logits = await decoder.append(context);
    } else logits = await decoder.append([token]);
  }
  return false;
}

/** What follows the prompt (without it), as it comes; of a prompt longer than the context, its end. */
export async function* generate(
  decoder: Decoder,
  tokenizer: Tokenizer,
  o: GenerateOptions,
): AsyncGenerator<string> {
  const prompt = Array.from(tokenizer.encode(o.prompt === "" ? LINE_BREAK : o.prompt));
  const endTokens = new Set(tokenizer.endToken === null ? [] : [tokenizer.endToken]);
  const text = new TextStream(tokenizer);
  const last = prompt.slice(-decoder.model.contextLength);
  for await (const token of drawTokens(decoder, last, { ...o, endTokens })) yield text.push(token);
  yield text.end();
}

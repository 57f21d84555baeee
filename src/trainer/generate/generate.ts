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

/** What a prompt of nothing begins with. */
const LINE_BREAK = "\n";

/**
 * What follows the prompt (without it), as it comes. When the context is full, its second half is read again as if it
 * were the beginning, and the text goes on.
 */
export async function* generate(
  decoder: Decoder,
  tokenizer: Tokenizer,
  o: GenerateOptions,
): AsyncGenerator<string> {
  const { contextLength } = decoder.model;
  const random = new SeededRandom(o.seed);
  const text = new TextStream(tokenizer);
  const prompt = Array.from(tokenizer.encode(o.prompt === "" ? LINE_BREAK : o.prompt));
  const context = prompt.slice(-contextLength);
  decoder.reset();
  let logits = await decoder.append(context);
  for (let i = 0; i < o.tokensMax; i++) {
    const token = sampleToken(logits, o, random);
    if (token === tokenizer.endToken) break;
    yield text.push(token);
    context.push(token);
    if (i + 1 === o.tokensMax) break;
    if (decoder.length === contextLength) {
      context.splice(0, context.length - Math.ceil(contextLength / 2));
      decoder.reset();
      logits = await decoder.append(context);
    } else logits = await decoder.append([token]);
  }
  yield text.end();
}

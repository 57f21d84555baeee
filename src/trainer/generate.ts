/** Text from a model, one token after another. */
import { assert, SeededRandom } from "../core/index.ts";
import type { Engine } from "./engine/engine.ts";
import type { Tokenizer } from "./tokenizer/tokenizer.ts";

export interface GenerateOptions {
  readonly tokensCount: number;
  /** 0 takes the likeliest token; 1 draws from the model's own distribution. */
  readonly temperature: number;
  readonly seed: string;
  /** (P,); without it, the engine's state. */
  readonly weights?: Float32Array | undefined;
}

/** What follows `prompt` (without it). An empty prompt starts from a line break. */
export async function generate(
  engine: Engine,
  tokenizer: Tokenizer,
  prompt: string,
  o: GenerateOptions,
): Promise<string> {
  const random = new SeededRandom(o.seed);
  const context = Array.from(tokenizer.encode(prompt === "" ? "\n" : prompt));
  const promptLength = context.length;
  for (let i = 0; i < o.tokensCount; i++) {
    const recent = Int32Array.from(context.slice(-engine.model.contextLength));
    const logits = await engine.nextLogits(recent, o.weights);
    context.push(sampleToken(logits, o.temperature, random));
  }
  return tokenizer.decode(context.slice(promptLength));
}

/** A token drawn from softmax(logits / temperature), logits (V,); the likeliest one at temperature 0. */
export function sampleToken(logits: Float32Array, temperature: number, random: SeededRandom): number {
  assert(temperature >= 0, `expected temperature >= 0, got ${temperature}`);
  let likeliest = 0;
  for (let i = 1; i < logits.length; i++)
    if ((logits[i] as number) > (logits[likeliest] as number)) likeliest = i;
  if (temperature === 0) return likeliest;
  const top = logits[likeliest] as number;
  const shares = Float64Array.from(logits, (logit) => Math.exp((logit - top) / temperature));
  let left = random.unit() * shares.reduce((sum, share) => sum + share, 0);
  for (let i = 0; i < shares.length; i++) {
    left -= shares[i] as number;
    if (left < 0) return i;
  }
  return likeliest; // rounding left a crumb
}

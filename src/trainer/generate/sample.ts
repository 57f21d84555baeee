/** Which token comes next. */
import { assert, type SeededRandom } from "../../core/index.ts";

export interface SampleOptions {
  /** 0 takes the likeliest token; 1 draws from the model's own distribution. */
  readonly temperature: number;
  /** Draws only from the fewest tokens that together have this probability (Holtzman et al. 2020, "nucleus"); 1: from all. */
  readonly topP: number;
}

/** A token drawn from softmax(logits / temperature), logits (V,); the likeliest one at temperature 0. */
export function sampleToken(
  logits: Float32Array,
  { temperature, topP }: SampleOptions,
  random: SeededRandom,
): number {
  assert(temperature >= 0, `expected temperature >= 0, got ${temperature}`);
  assert(topP > 0 && topP <= 1, `expected topP in (0, 1], got ${topP}`);
  let likeliest = 0;
  for (let i = 1; i < logits.length; i++)
    if ((logits[i] as number) > (logits[likeliest] as number)) likeliest = i;
  if (temperature === 0) return likeliest;
  const top = logits[likeliest] as number;
  const shares = Float64Array.from(logits, (logit) => Math.exp((logit - top) / temperature));
  const total = topP < 1 ? keepNucleus(shares, topP) : shares.reduce((sum, share) => sum + share, 0);
  let left = random.unit() * total;
  for (let i = 0; i < shares.length; i++) {
    left -= shares[i] as number;
    if (left < 0) return i;
  }
  return likeliest; // rounding left a crumb
}

/** Zeroes the shares beyond the nucleus; of equal ones the lower tokens stay. Returns the sum of what is left. */
function keepNucleus(shares: Float64Array, topP: number): number {
  const order = Array.from(shares.keys()).sort(
    (a, b) => (shares[b] as number) - (shares[a] as number) || a - b,
  );
  const all = shares.reduce((sum, share) => sum + share, 0);
  let kept = 0;
  let count = 0;
  while (count < order.length && kept < topP * all) kept += shares[order[count++] as number] as number;
  for (const token of order.slice(count)) shares[token] = 0;
  return kept;
}

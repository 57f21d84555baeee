/** random.json: words and bounded integers of the seeded generator. */
import { SeededRandom } from "../../../src/core/index.ts";

export interface RandomVector {
  seed: string;
  /** The first words, each in [0, 2^32). */
  words: number[];
  /** One integer below each bound, drawn in this order from a fresh generator. */
  bounds: number[];
  below: number[];
}

// 3 * 2^30 throws a quarter of the words away, so the rejection is in the vector.
const BOUNDS = [1, 2, 10, 3 * 2 ** 30, 3 * 2 ** 30, 3 * 2 ** 30, 2 ** 32, 1_000_003];

export function randomVectors(): RandomVector[] {
  return ["", "starling", "1/model.norm.weight", "ünïcödé"].map((seed) => {
    const words = new SeededRandom(seed);
    const bounded = new SeededRandom(seed);
    return {
      seed,
      words: Array.from({ length: 12 }, () => words.u32()),
      bounds: BOUNDS,
      below: BOUNDS.map((bound) => bounded.below(bound)),
    };
  });
}

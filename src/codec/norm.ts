/** The L2 norm of a delta in exact integer arithmetic: squares below 2^60, split so that no sum is rounded. */

const HALF_BITS = 15;
const HALF = 2 ** HALF_BITS;

/** Adds up squares of integers below 2^30. */
export class SquareSum {
  #total = 0n;

  /** Adds counts[code] * levels[code mod n]^2 over all codes of one chunk; both signs count alike. */
  addChunk(counts: Int32Array, levels: Int32Array, levelCount: number): void {
    // level = 2^15 a + b:  level^2 = 2^30 a^2 + 2^16 a b + b^2; each sum is below 4096 * 2^30 = 2^42.
    let [aa, ab, bb] = [0, 0, 0];
    for (let j = 0; j < levelCount; j++) {
      const count = counts[j] + counts[j + levelCount];
      if (count === 0) continue;
      const a = levels[j] >> HALF_BITS;
      const b = levels[j] & (HALF - 1);
      aa += count * a * a;
      ab += count * a * b;
      bb += count * b * b;
    }
    this.#total += (BigInt(aa) << 30n) + (BigInt(ab) << 16n) + BigInt(bb);
  }

  /** floor(sqrt(sum)). */
  norm(): number {
    return floorSqrt(this.#total);
  }
}

/** floor(sqrt(n)) for 0 <= n < 2^104. */
export function floorSqrt(n: bigint): number {
  // The double is within a few units of the root; exact integers decide.
  let root = BigInt(Math.floor(Math.sqrt(Number(n))));
  while (root * root > n) root--;
  while ((root + 1n) * (root + 1n) <= n) root++;
  return Number(root);
}

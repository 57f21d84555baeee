/**
 * Top-k by magnitude in O(n): a radix selection (Knuth, TAOCP 3, 5.2.5 turned into a selection) finds the k-th
 * greatest magnitude, one more pass picks the elements. Ties go to the lower index, so the choice is a function of
 * the values alone.
 */
import { CHUNK_LENGTH } from "./settings.ts";

const DIGIT_BITS = 10;
const DIGITS = 2 ** DIGIT_BITS;

/** Scratch of one encoder. */
export interface Selector {
  /**
   * Ascending indices of the k greatest of magnitudes[0..length) into indices[0..k), 1 <= k <= length <= 4096.
   * Magnitudes are in 0..2^31-1; `greatest` is the greatest of them.
   */
  select(magnitudes: Int32Array, length: number, greatest: number, k: number, indices: Uint16Array): void;
}

export function createSelector(): Selector {
  const histogram = new Int32Array(DIGITS);
  const candidates = new Int32Array(CHUNK_LENGTH);

  /** Of values[0..length), keeps those with the digit that the k-th greatest has; returns [how many, new k]. */
  function narrow(values: Int32Array, length: number, shift: number, k: number): [number, number] {
    histogram.fill(0);
    for (let i = 0; i < length; i++) {
      const digit = (values[i] >> shift) & (DIGITS - 1);
      histogram[digit]++;
    }
    let digit = DIGITS - 1;
    let rank = k;
    while (rank > histogram[digit]) rank -= histogram[digit--];
    let kept = 0;
    for (let i = 0; i < length; i++) {
      const value = values[i];
      if (((value >> shift) & (DIGITS - 1)) === digit) candidates[kept++] = value;
    }
    return [kept, rank];
  }

  return {
    select(magnitudes, length, greatest, k, indices) {
      let shift = Math.max(0, 32 - Math.clz32(greatest) - DIGIT_BITS);
      let [count, rank] = narrow(magnitudes, length, shift, k);
      while (shift > 0 && count > 1) {
        shift = Math.max(0, shift - DIGIT_BITS);
        [count, rank] = narrow(candidates, count, shift, rank);
      }
      // All candidates left are equal to the k-th greatest; `rank` of them are among the k.
      const threshold = candidates[0];
      let ties = rank;
      let at = 0;
      for (let i = 0; i < length; i++) {
        const m = magnitudes[i];
        if (m < threshold) continue;
        if (m === threshold && ties-- <= 0) continue;
        indices[at++] = i;
      }
    },
  };
}

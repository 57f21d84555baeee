/**
 * Top-k by magnitude in O(n): cut the elements into k groups; the least of the groups' greatest is a bound that at
 * least k elements reach, and few others do. Among those a radix selection (Knuth, TAOCP 3, 5.2.5 turned into a
 * selection) finds the k-th greatest, one more pass picks. Ties go to the lower index, so the choice is a function of
 * the values alone.
 */
const DIGIT_BITS = 10;
const DIGITS = 2 ** DIGIT_BITS;

/** Scratch of one encoder. */
export interface Selector {
  /**
   * Ascending indices of the k greatest of magnitudes[0..length) into indices[0..k), 1 <= k <= length <= lengthMax.
   * Magnitudes are in 0..2^31-1.
   */
  select(magnitudes: Int32Array, length: number, k: number, indices: Uint16Array): void;
}

/** `lengthMax`: at most 4096. */
export function createSelector(lengthMax: number): Selector {
  const histogram = new Int32Array(DIGITS);
  const near = new Uint16Array(lengthMax); // indices of what reaches the bound
  const values = new Int32Array(lengthMax); // their magnitudes
  const candidates = new Int32Array(lengthMax);

  /** Of from[0..length), keeps those with the digit that the k-th greatest has; returns [how many, new k]. */
  function narrow(from: Int32Array, length: number, shift: number, k: number): [number, number] {
    histogram.fill(0);
    for (let i = 0; i < length; i++) {
      const digit = (from[i] >> shift) & (DIGITS - 1);
      histogram[digit]++;
    }
    let digit = DIGITS - 1;
    let rank = k;
    while (rank > histogram[digit]) rank -= histogram[digit--];
    let kept = 0;
    for (let i = 0; i < length; i++) {
      const value = from[i];
      if (((value >> shift) & (DIGITS - 1)) === digit) candidates[kept++] = value;
    }
    return [kept, rank];
  }

  return {
    select(magnitudes, length, k, indices) {
      const { least, greatest } = groupMaxima(magnitudes, length, Math.floor(length / k));
      let count = 0;
      for (let i = 0; i < length; i++) {
        const m = magnitudes[i];
        near[count] = i;
        values[count] = m;
        count += (least - 1 - m) >>> 31; // m >= least, without a branch
      }
      let shift = Math.max(0, 32 - Math.clz32(greatest) - DIGIT_BITS);
      let [left, rank] = narrow(values, count, shift, k);
      while (shift > 0 && left > 1) {
        shift = Math.max(0, shift - DIGIT_BITS);
        [left, rank] = narrow(candidates, left, shift, rank);
      }
      // All candidates left are equal to the k-th greatest; `rank` of them are among the k.
      const threshold = candidates[0];
      let ties = rank;
      let at = 0;
      for (let i = 0; i < count; i++) {
        const m = values[i];
        if (m < threshold) continue;
        if (m === threshold && ties-- <= 0) continue;
        indices[at++] = near[i];
      }
    },
  };
}

/** The least and the greatest of the maxima of groups of `size` neighbours; what is left over is in no group. */
function groupMaxima(
  magnitudes: Int32Array,
  length: number,
  size: number,
): { least: number; greatest: number } {
  let least = 2 ** 31 - 1;
  let greatest = 0;
  for (let end = size; end <= length; end += size) {
    let most = 0;
    for (let i = end - size; i < end; i++) most = Math.max(most, magnitudes[i]);
    least = Math.min(least, most);
    greatest = Math.max(greatest, most);
  }
  for (let i = length - (length % size); i < length; i++) greatest = Math.max(greatest, magnitudes[i]);
  return { least, greatest };
}

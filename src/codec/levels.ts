/**
 * The values that a kept element can decode to: sign x magnitude, the magnitudes spaced evenly from lo to hi.
 *
 *   n = 2^(valueBits - 1) magnitudes:   level_j = lo + round((hi - lo) * j / (n - 1)),  j = 0..n-1
 *   code = sign * n + j,                value(code) = level_j, negated when the sign bit is set
 *
 * n - 1 is odd, so the rounding has no ties. When hi - lo < n - 1 neighbours coincide; of equal magnitudes only the
 * least j is used, and zero has no negative. The other codes are dead: an encoder never writes them, a reader
 * refuses them, so that one decoded chunk has one encoding under given magnitudes.
 */

/** Number of magnitudes, n. */
export function levelCount(valueBits: number): number {
  return 1 << (valueBits - 1);
}

/** levels[0..n) for lo <= hi < 2^30. */
export function fillLevels(levels: Int32Array, count: number, lo: number, hi: number): void {
  const steps = count - 1;
  // (hi - lo) * j < 2^37, and quotients by at most 254 are floored exactly in doubles.
  for (let j = 0; j < count; j++) levels[j] = lo + Math.floor((2 * (hi - lo) * j + steps) / (2 * steps));
}

/** values[code] for all 2n codes. */
export function fillValues(values: Int32Array, levels: Int32Array, count: number): void {
  for (let j = 0; j < count; j++) {
    values[j] = levels[j];
    values[j + count] = -levels[j];
  }
}

/** Whether no encoder writes this code under these levels. */
export function isDeadCode(code: number, levels: Int32Array, count: number): boolean {
  const j = code & (count - 1);
  if (j > 0 && levels[j] === levels[j - 1]) return true;
  return code >= count && levels[j] === 0;
}

/**
 * borders[0..n]: the code of a magnitude m has the j with borders[j] < m <= borders[j + 1], which is the nearest level,
 * the lower of two as near, the least j of equal ones. The outer two are -1 and 2^31 - 1. Floor of the middle is exact
 * for integers: 2m > s <=> m > floor(s / 2).
 */
export function fillBorders(borders: Int32Array, levels: Int32Array, count: number): void {
  let above = 2 ** 31 - 1; // nothing lies above the last level
  borders[count] = above;
  for (let j = count - 2; j >= 0; j--) {
    const [level, next] = [levels[j], levels[j + 1]];
    if (level < next) above = (level + next) >> 1;
    borders[j + 1] = above;
  }
  borders[0] = -1;
}

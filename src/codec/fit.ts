/**
 * The two magnitudes of a chunk: lo and hi of least squared error, by a few Lloyd steps (Lloyd 1982, "Least squares
 * quantization in PCM"): give each magnitude to its nearest level, then solve for the best lo and hi.
 *
 *   level_j = ((w - j) lo + j hi) / w,  w = n - 1;   minimise  sum_j sum_(m in j) (m - level_j)^2
 *   A = sum c_j (w-j)^2   B = sum c_j j (w-j)   C = sum c_j j^2      c_j, s_j: count and sum of the m at level j
 *   X = sum s_j (w-j)     Y = sum s_j j
 *   lo = w (C X - B Y) / (A C - B^2)           hi = w (A Y - B X) / (A C - B^2)
 *
 * Only + - * / on doubles: the same bits on every machine, so that an audit can encode again and compare.
 */

/** Measured on normal residuals, against the error after eight steps: 2 bits within 2 %, dense 4 bits 3 %. */
const LLOYD_STEPS = 3;

/**
 * First guess: lo is the least magnitude. From: Max 1960, "Quantizing for minimum distortion", the best quantisers of a
 * normal variable, whose mean magnitude is 0.798 sigma: with 16 and 256 outputs hi = 2.51 and 3.93 sigma; with 4 the
 * border between lo and hi is at 0.98 sigma, and there all that matters is the border.
 */
const FIRST_HI_PER_MEAN: Readonly<Record<number, number>> = { 8: 3.15, 128: 4.93 };
const FIRST_BORDER_PER_MEAN = 1.23;

const LEVELS_MAX = 128;

/** Scratch of one encoder. */
export interface Fitter {
  /** Real lo and hi, 0 <= lo <= hi, for magnitudes[0..length), length >= 1. */
  fit(magnitudes: Int32Array, length: number, levelCount: number): { lo: number; hi: number };
}

export function createFitter(): Fitter {
  const counts = new Float64Array(LEVELS_MAX); // c_j
  const sums = new Float64Array(LEVELS_MAX); // s_j, exact: below 4096 * 2^31

  return {
    fit(magnitudes, length, levelCount) {
      let { lo, hi } = firstGuess(magnitudes, length, levelCount);
      for (let step = 0; step < LLOYD_STEPS && lo < hi; step++) {
        if (levelCount === 2) splitInTwo(magnitudes, length, (lo + hi) / 2, counts, sums);
        else assign(magnitudes, length, levelCount, lo, hi, counts, sums);
        ({ lo, hi } = solve(levelCount, counts, sums));
      }
      return { lo, hi };
    },
  };
}

function firstGuess(magnitudes: Int32Array, length: number, levelCount: number): { lo: number; hi: number } {
  let least = 2 ** 31 - 1;
  let greatest = 0;
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const m = magnitudes[i];
    least = Math.min(least, m);
    greatest = Math.max(greatest, m);
    sum += m;
  }
  const mean = sum / length;
  const guess =
    levelCount === 2
      ? least + 2 * FIRST_BORDER_PER_MEAN * (mean - least)
      : FIRST_HI_PER_MEAN[levelCount] * mean;
  return { lo: least, hi: Math.min(greatest, guess) };
}

/** The same as `assign` for two levels, without branches: they would be taken at random. */
function splitInTwo(
  magnitudes: Int32Array,
  length: number,
  middle: number,
  counts: Float64Array,
  sums: Float64Array,
): void {
  const threshold = Math.floor(middle) | 0;
  let above = 0;
  let sumAbove = 0;
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const m = magnitudes[i];
    const mask = (threshold - m) >> 31; // -1 when m > threshold, else 0
    above -= mask;
    sumAbove += m & mask;
    sum += m;
  }
  counts[0] = length - above;
  counts[1] = above;
  sums[0] = sum - sumAbove;
  sums[1] = sumAbove;
}

function assign(
  magnitudes: Int32Array,
  length: number,
  levelCount: number,
  lo: number,
  hi: number,
  counts: Float64Array,
  sums: Float64Array,
): void {
  counts.fill(0);
  sums.fill(0);
  const last = levelCount - 1;
  const scale = last / (hi - lo);
  for (let i = 0; i < length; i++) {
    const m = magnitudes[i];
    const j = Math.min(last, Math.max(0, (m - lo) * scale + 0.5)) | 0;
    counts[j]++;
    sums[j] += m;
  }
}

function solve(levelCount: number, counts: Float64Array, sums: Float64Array): { lo: number; hi: number } {
  const w = levelCount - 1;
  let [A, B, C, X, Y, length, sum] = [0, 0, 0, 0, 0, 0, 0];
  for (let j = 0; j <= w; j++) {
    const c = counts[j];
    const s = sums[j];
    A += c * (w - j) * (w - j);
    B += c * j * (w - j);
    C += c * j * j;
    X += s * (w - j);
    Y += s * j;
    length += c;
    sum += s;
  }
  const determinant = A * C - B * B; // exact: below 2^53
  // All at one level: one magnitude says it all.
  if (determinant === 0) return { lo: sum / length, hi: sum / length };
  const lo = Math.max(0, (w * (C * X - B * Y)) / determinant);
  const hi = Math.max(lo, (w * (A * Y - B * X)) / determinant);
  return { lo, hi };
}

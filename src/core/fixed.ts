/**
 * Fixed point: weights, residuals and deltas are int32 with 24 fraction bits, modulo 2^32, so that sums do not
 * depend on order, language or machine. Range +-128, resolution 6e-8.
 */

export const FRACTION_BITS = 24;
export const ONE: number = 2 ** FRACTION_BITS;

/** Nearest fixed-point value, ties to even, saturating at the ends; NaN becomes 0 (callers refuse it before). */
export function toFixed(value: number): number {
  const scaled = value * ONE;
  if (!(scaled > -(2 ** 31))) return Number.isNaN(scaled) ? 0 : -(2 ** 31);
  return scaled >= 2 ** 31 - 1 ? 2 ** 31 - 1 : roundHalfToEven(scaled);
}

export function fromFixed(value: number): number {
  return value / ONE;
}

/** In [2^52, 2^53) doubles are the integers, so an addition rounds to one; 1.5 leaves room on both sides. */
const ROUNDER = 1.5 * 2 ** 52;

/** Nearest integer, ties to even. Exact for |x| <= 2^51. */
export function roundHalfToEven(x: number): number {
  return x + ROUNDER - ROUNDER;
}

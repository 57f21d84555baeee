/**
 * Fixed point: weights, residuals and deltas are int32 with 24 fraction bits, modulo 2^32, so that sums do not
 * depend on order, language or machine. Range +-128, resolution 6e-8.
 *
 * Numbers are written out where every parameter passes: a constant of this module took half as long again wherever
 * these functions were inlined (bench/RESULTS.md).
 */

const FRACTION_BITS = 24;
export const ONE: number = 2 ** FRACTION_BITS;

/** Nearest fixed-point value, ties to even, saturating at the ends; NaN becomes 0 (callers refuse it before). */
export function toFixed(value: number): number {
  return saturate(roundHalfToEven(value * 2 ** 24)) | 0; // of NaN: 0
}

/** A whole number, or the end of int32 beyond it. Two branches hardly ever taken: Math.min and Math.max took a third longer. */
export function saturate(value: number): number {
  if (value > 2 ** 31 - 1) return 2 ** 31 - 1;
  return value < -(2 ** 31) ? -(2 ** 31) : value;
}

export function fromFixed(value: number): number {
  return value / ONE;
}

/**
 * Nearest integer, ties to even. Exact for |x| <= 2^51: between 2^52 and 2^53 doubles are the integers, so an addition
 * rounds to one, and 1.5 * 2^52 leaves room on both sides.
 */
export function roundHalfToEven(x: number): number {
  return x + 1.5 * 2 ** 52 - 1.5 * 2 ** 52;
}

/**
 * floats[i] = fixed[i] / 2^24, rounded to float32: (P,) to (P,). A loop, since V8's `Float32Array.from` with a function makes
 * a list first, and ends the process above 2^27 elements.
 */
export function toFloats(
  fixed: Int32Array,
  floats: Float32Array = new Float32Array(fixed.length),
): Float32Array {
  for (let i = 0; i < fixed.length; i++) floats[i] = (fixed[i] as number) / 2 ** 24;
  return floats;
}

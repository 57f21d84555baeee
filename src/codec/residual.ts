/** Error feedback: what training moved joins what compression dropped before (SparseLoCo, arXiv 2508.15706). */
import { assert, roundHalfToEven, toFixed } from "../core/index.ts";

const INT32_MAX = 2 ** 31 - 1;
const INT32_MIN = -(2 ** 31);

/**
 * residual = sat(round(beta * residual) + (start - toFixed(end))), all (P,): residual and start are fixed point, end
 * is the float32 weights after training. Rounds half to even; saturates at the ends of int32, so that a single wild
 * weight cannot flip sign. beta in 0..1 (SparseLoCo: 0.95); the product is one IEEE double.
 * Returns false, with residual untouched, when `end` holds a value that is not finite.
 */
export function accumulateResidual(
  residual: Int32Array,
  start: Int32Array,
  end: Float32Array,
  beta: number,
): boolean {
  assert(beta >= 0 && beta <= 1, `beta is in 0..1, got ${beta}`);
  assert(
    residual.length === start.length && start.length === end.length,
    `residual, start and end have ${residual.length}, ${start.length} and ${end.length} elements`,
  );
  let zero = 0; // x - x is NaN where x is not finite, and the sum stays one; no branch per element
  for (let i = 0; i < end.length; i++) zero += end[i] - end[i];
  if (zero !== 0) return false;
  for (let i = 0; i < end.length; i++) {
    const moved = start[i] - toFixed(end[i]);
    const sum = roundHalfToEven(beta * residual[i]) + moved;
    residual[i] = Math.min(INT32_MAX, Math.max(INT32_MIN, sum));
  }
  return true;
}

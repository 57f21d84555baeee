/**
 * Error feedback: what training moved joins what compression dropped before (SparseLoCo, arXiv 2508.15706). A node may
 * train on top of a share of what it has not sent yet, or it learns that again round after round until it is sent.
 *
 *   start = weights - inStart * residual
 *   residual <- beta * residual + (start - end) = (beta - inStart) * residual + (weights - end)
 */
import { assert, roundHalfToEven, saturate } from "../core/index.ts";

/**
 * Where training starts, into `start`: (weights - inStart * residual) / 2^24 as float32, all (P,), weights and residual
 * in fixed point. The difference is one IEEE double, rounded once.
 */
export function trainingStart(
  start: Float32Array,
  { weights, residual }: { weights: Int32Array; residual: Int32Array },
  inStart: number,
): void {
  for (let i = 0; i < start.length; i++) start[i] = (weights[i] - inStart * residual[i]) / 2 ** 24;
}

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
    const moved = start[i] - saturate(roundHalfToEven(end[i] * 2 ** 24)); // toFixed, of what is finite
    residual[i] = saturate(roundHalfToEven(beta * residual[i]) + moved);
  }
  return true;
}

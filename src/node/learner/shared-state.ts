/** A training state in memory that several threads share: weights and both moments, (P,) float32 each. */
import type { TrainingState } from "../../trainer/index.ts";

/** One array behind the other. */
export function stateIn(shared: SharedArrayBuffer): TrainingState {
  const length = shared.byteLength / (3 * 4);
  const part = (i: number): Float32Array => new Float32Array(shared, i * 4 * length, length);
  return { weights: part(0), moment1: part(1), moment2: part(2), stepsCount: 0 };
}

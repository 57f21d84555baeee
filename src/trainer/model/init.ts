/**
 * Initial weights in fixed point, from integer arithmetic only, so that every machine starts from the same bits.
 * Normal numbers are sums of 12 uniform 16-bit integers (Irwin-Hall): mean 12 * (2^16 - 1) / 2, variance
 * 2^32 - 1, so the standard deviation is 2^16, and no logarithm or cosine is needed.
 */
import { ONE, roundHalfToEven, SeededRandom } from "../../core/index.ts";
import { parametersCount, type ModelConfig } from "./config.ts";
import { modelTensors, tensorLength } from "./tensors.ts";

/** Standard deviation of the initial weights. From: GPT-2 (Radford et al. 2019), Llama's initializer_range. */
const INIT_STD = 0.02;
const UNIFORMS_MEAN_SUM = 6 * (2 ** 16 - 1);

/** (P,) in fixed point; each tensor draws from a stream of its own. */
export function initialWeights(c: ModelConfig, seed: string): Int32Array {
  const weights = new Int32Array(parametersCount(c));
  let at = 0;
  for (const spec of modelTensors(c)) {
    const end = at + tensorLength(spec);
    if (spec.init === "ones") weights.fill(ONE, at, end);
    else {
      // The square root is exact by IEEE 754; GPT-2 scales residual projections by 1 / sqrt(2 * layers).
      const std = spec.init === "normal" ? INIT_STD : INIT_STD / Math.sqrt(2 * c.layersCount);
      fillNormal(weights.subarray(at, end), std, new SeededRandom(`${seed}/${spec.name}`));
    }
    at = end;
  }
  return weights;
}

function fillNormal(target: Int32Array, std: number, random: SeededRandom): void {
  const factor = roundHalfToEven(std * ONE); // an integer; below 2^19, so products stay below 2^38
  for (let i = 0; i < target.length; i++) {
    let sum = -UNIFORMS_MEAN_SUM;
    for (let draws = 0; draws < 6; draws++) {
      const word = random.u32();
      sum += (word & 0xffff) + (word >>> 16);
    }
    target[i] = roundHalfToEven((sum * factor) / 2 ** 16);
  }
}

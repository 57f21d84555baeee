/** Fixed-point weights as bytes: P int32, little-endian as on every machine that we run on. */
import { StarlingError } from "../../core/index.ts";
import { type ModelConfig, parametersCount } from "./config.ts";

/** (P,) in an array of its own. @throws StarlingError `WEIGHTS_SIZE` */
export function decodeWeights(c: ModelConfig, bytes: Uint8Array): Int32Array {
  const expected = 4 * parametersCount(c);
  if (bytes.length === expected) return new Int32Array(new Uint8Array(bytes).buffer);
  throw new StarlingError("WEIGHTS_SIZE", `expected ${expected} bytes of weights, got ${bytes.length}`);
}

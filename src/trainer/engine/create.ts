/** An engine by its name. */
import { StarlingError } from "../../core/index.ts";
import { onnxEngines } from "./backends.ts";
import type { Engine, EngineName } from "./engine.ts";
import { type OnnxEngineOptions, createOnnxEngine } from "./onnx-engine.ts";

export interface EngineOptions extends OnnxEngineOptions {
  readonly engine: EngineName;
}

/** The engines that this install can try; a machine may still lack the device. */
export function supportedEngines(): EngineName[] {
  return onnxEngines();
}

/**
 * An engine with all-zero state; write the weights into `state.weights`, then `load`.
 * @throws StarlingError `ENGINE_UNAVAILABLE` when the engine does not start on this machine.
 */
export async function createEngine(o: EngineOptions): Promise<Engine> {
  const supported = supportedEngines();
  if (supported.includes(o.engine)) return createOnnxEngine(o);
  throw new StarlingError(
    "ENGINE_UNAVAILABLE",
    `expected one of ${supported.join(", ")} here, got ${o.engine}; choose another`,
  );
}

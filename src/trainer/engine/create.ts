/** An engine by its name. */
import { StarlingError } from "../../core/index.ts";
import { onnxEngines } from "./backends.ts";
import type { Engine, EngineName } from "./engine.ts";
import { type OnnxEngineOptions, createOnnxEngine, noMixedPrecision } from "./onnx-engine.ts";
import { isTfjsInstalled, loadTfjs } from "./tfjs/load.ts";
import { TfjsEngine } from "./tfjs/tfjs-engine.ts";

export interface EngineOptions extends Omit<OnnxEngineOptions, "engine"> {
  readonly engine: EngineName;
}

/** The engines that this install can try; a machine may still lack the device. */
export function supportedEngines(): EngineName[] {
  return [...onnxEngines(), ...(isTfjsInstalled() ? (["tfjs"] as const) : [])];
}

/**
 * An engine with all-zero state; write the weights into `state.weights`, then `load`.
 * @throws StarlingError `ENGINE_UNAVAILABLE` when the engine does not start on this machine.
 */
export async function createEngine(o: EngineOptions): Promise<Engine> {
  const { engine } = o;
  if (engine === "tfjs" && o.mixedPrecision === true) throw noMixedPrecision(engine);
  if (engine === "tfjs") return new TfjsEngine(loadTfjs(), o);
  const supported = onnxEngines();
  if (supported.includes(engine)) return createOnnxEngine({ ...o, engine });
  throw new StarlingError(
    "ENGINE_UNAVAILABLE",
    `expected one of ${supported.join(", ")} here, got ${String(engine)}; choose another`,
  );
}

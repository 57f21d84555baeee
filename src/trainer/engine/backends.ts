/**
 * The engines over ONNX Runtime: what the runtime calls them, how a device is chosen, where the state lives.
 * Only what this project has run may be chosen by `auto`; the others start by name alone (README, "Engines").
 */
import ort from "onnxruntime-node";
import type { EngineName } from "./engine.ts";
import type { StateHome } from "./state-values.ts";

export type OnnxEngineName = "cpu" | "webgpu" | "cuda" | "directml" | "coreml";

interface Backend {
  /** The runtime's name of the execution provider. */
  readonly provider: string;
  readonly home: StateHome;
  /** What `--device` says (devices.ts): nothing, the index of a GPU, or the file that describes a Vulkan driver. */
  readonly device: "none" | "index" | "vulkan-driver";
  /** Steps in one run, where each run moves the whole state between host and device. */
  readonly stepsAtOnce: number;
  /** On what this project has run it; null: never. */
  readonly runOn: string | null;
}

// The runtime's JavaScript binding can leave outputs on the device for WebGPU only.
const BACKENDS: Readonly<Record<OnnxEngineName, Backend>> = {
  cpu: { provider: "cpu", home: "in-place", device: "none", stepsAtOnce: 1, runOn: "Linux x64" },
  webgpu: {
    provider: "webgpu",
    home: "on-device",
    device: "vulkan-driver",
    stepsAtOnce: 1,
    runOn: "SwiftShader (Vulkan in software), Linux x64",
  },
  cuda: { provider: "cuda", home: "copied", device: "index", stepsAtOnce: 8, runOn: null }, // Guess
  directml: { provider: "dml", home: "copied", device: "index", stepsAtOnce: 1, runOn: null },
  coreml: { provider: "coreml", home: "copied", device: "none", stepsAtOnce: 1, runOn: null },
};

export function providerOf(engine: OnnxEngineName): string {
  return BACKENDS[engine].provider;
}

export function stepsAtOnceOf(engine: OnnxEngineName): number {
  return BACKENDS[engine].stepsAtOnce;
}

export function homeOf(engine: OnnxEngineName): StateHome {
  return BACKENDS[engine].home;
}

/** On what this project has run an engine (README, "Engines"); null: never, so that it starts only by name. */
export function runOn(engine: EngineName): string | null {
  return engine === "tfjs" ? "TensorFlow 2.12 on the CPU, Linux x64" : BACKENDS[engine].runOn;
}

/** Those that this install of the runtime can try; a machine may still lack the device. */
export function onnxEngines(): OnnxEngineName[] {
  const listed = new Set(ort.listSupportedBackends().map(({ name }) => name));
  const names = Object.keys(BACKENDS) as OnnxEngineName[];
  return names.filter((name) => listed.has(BACKENDS[name].provider));
}

/** How a device of the engine is named; `auto` and engines that have one take none. */
export function deviceKindOf(engine: EngineName | "auto"): Backend["device"] {
  return engine === "tfjs" || engine === "auto" ? "none" : BACKENDS[engine].device;
}

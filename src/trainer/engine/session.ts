/** One ONNX Runtime session per program, and the tensors that go in and out. The only file that imports the runtime. */
import ort from "onnxruntime-node";
import { assert, messageOf, StarlingError } from "../../core/index.ts";
import { parametersCount, type ModelConfig } from "../model/config.ts";
import { modelTensors, tensorViews } from "../model/tensors.ts";
import type { EngineName } from "./engine.ts";

export type Session = ort.InferenceSession;
export type Value = ort.Tensor;
export type Values = Record<string, Value>;

export interface SessionOptions {
  readonly engine: EngineName;
  /** Threads inside one operator; operators themselves run one after another. */
  readonly threads: number;
  /** Leave outputs on the device, to be inputs of the next run. */
  readonly keepOnDevice?: boolean;
}

/** The engines that this install of the runtime can try; a machine may still lack the device. */
export function supportedEngines(): EngineName[] {
  const names = ort.listSupportedBackends().map(({ name }) => name);
  return (["cpu", "webgpu"] as const).filter((engine) => names.includes(engine));
}

/** @throws StarlingError `ENGINE_UNAVAILABLE` when the runtime can't run the program on that engine here. */
export async function openSession(program: Uint8Array, o: SessionOptions): Promise<Session> {
  try {
    return await ort.InferenceSession.create(program, {
      executionProviders: [o.engine],
      intraOpNumThreads: o.threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
      ...(o.keepOnDevice && { preferredOutputLocation: "gpu-buffer" as const }),
    });
  } catch (error) {
    // Translated: whatever the runtime lacks (driver, device, operator), the remedy is another engine.
    throw new StarlingError(
      "ENGINE_UNAVAILABLE",
      `expected the ${o.engine} engine to start, got: ${messageOf(error)}; choose another of ${supportedEngines().join(", ")}`,
      { cause: error },
    );
  }
}

export function floatValue(data: Float32Array, shape: readonly number[]): Value {
  return new ort.Tensor("float32", data, shape);
}

export function intValue(data: Int32Array, shape: readonly number[]): Value {
  return new ort.Tensor("int32", data, shape);
}

export function scalarValue(x: number): Value {
  return floatValue(Float32Array.of(x), []);
}

/** Views of a flat (P,) array as the values of a program's parameters, named `prefix` + Hugging Face name. */
export function parameterValues(c: ModelConfig, flat: Float32Array, prefix = ""): Values {
  const expected = parametersCount(c);
  assert(flat.length === expected, `expected ${expected} parameters, got ${flat.length}`);
  const views = tensorViews(c, flat);
  return Object.fromEntries(
    modelTensors(c).map(({ name, shape }) => [
      prefix + name,
      floatValue(views.get(name) as Float32Array, shape),
    ]),
  );
}

/** The floats of an output, wherever it was; frees it on the device. */
export async function floatsOf(values: Values, name: string): Promise<Float32Array> {
  const value = values[name];
  assert(value !== undefined, `the program has no output ${name}`);
  return (await value.getData(true)) as Float32Array;
}

export async function numberOf(values: Values, name: string): Promise<number> {
  return (await floatsOf(values, name))[0] as number;
}

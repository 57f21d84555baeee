/** One ONNX Runtime session per program, and the tensors that go in and out. The runtime's only user beside backends.ts. */
import ort from "onnxruntime-node";
import { assert, messageOf, StarlingError } from "../../core/index.ts";
import { parametersCount, type ModelConfig } from "../model/config.ts";
import { modelTensors, tensorViews } from "../model/tensors.ts";
import { type OnnxEngineName, onnxEngines, providerOf } from "./backends.ts";

export type Session = ort.InferenceSession;
export type Value = ort.Tensor;
export type Values = Record<string, Value>;

export interface SessionOptions {
  readonly engine: OnnxEngineName;
  /** Threads inside one operator; operators themselves run one after another. */
  readonly threads: number;
  /** Index of the GPU, where the engine is chosen by one (`backends.ts`). */
  readonly deviceIndex?: number | undefined;
  /** Outputs that stay on the device, to be inputs of a later run. */
  readonly keptOnDevice?: readonly string[];
}

/** @throws StarlingError `ENGINE_UNAVAILABLE` when the runtime can't run the program on that engine here. */
export async function openSession(program: Uint8Array, o: SessionOptions): Promise<Session> {
  try {
    return await ort.InferenceSession.create(program, {
      executionProviders: [
        { name: providerOf(o.engine), ...(o.deviceIndex !== undefined && { deviceId: o.deviceIndex }) },
      ],
      intraOpNumThreads: o.threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      // One block planned for all arrays of a run is allocated beside what the first run has left: measured at 25M
      // parameters, 1.27 GB with it, 1.05 GB without, and no slower.
      enableMemPattern: false,
      logSeverityLevel: 3,
      ...(o.keptOnDevice?.length && { preferredOutputLocation: onDevice(o.keptOnDevice) }),
    });
  } catch (error) {
    // Translated: whatever the runtime lacks (driver, device, operator), the remedy is another engine.
    throw new StarlingError(
      "ENGINE_UNAVAILABLE",
      `expected the ${o.engine} engine to start, got: ${messageOf(error)}; choose another of ${onnxEngines().join(", ")}`,
      { cause: error },
    );
  }
}

function onDevice(outputs: readonly string[]): Record<string, "gpu-buffer"> {
  return Object.fromEntries(outputs.map((name) => [name, "gpu-buffer"]));
}

export function floatValue(data: Float32Array, shape: readonly number[]): Value {
  return new ort.Tensor("float32", data, shape);
}

export function intValue(data: Int32Array, shape: readonly number[]): Value {
  return new ort.Tensor("int32", data, shape);
}

/** An int64, as a scalar or as the one element of a tensor. */
export function countValue(count: number, shape: readonly number[] = []): Value {
  return new ort.Tensor("int64", BigInt64Array.of(BigInt(count)), shape);
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

/** The floats of an output that is on the host; one on the device aborts the process (device-copies.ts). */
export function floatsOf(values: Values, name: string): Float32Array {
  const value = values[name];
  assert(value !== undefined, `the program has no output ${name}`);
  assert(value.location === "cpu", `output ${name} is on the host`);
  return value.data as Float32Array;
}

export function numberOf(values: Values, name: string): number {
  return floatsOf(values, name)[0] as number;
}

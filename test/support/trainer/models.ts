/** Small models and their inputs, for tests. */
import { bytesOf, digestOf, fromFixed, SeededRandom } from "../../../src/core/index.ts";
import { createOnnxEngine } from "../../../src/trainer/engine/onnx-engine.ts";
import type { LossScale } from "../../../src/trainer/engine/loss-scale.ts";
import type { StateHome } from "../../../src/trainer/engine/state-values.ts";
import {
  assignedBatch,
  createEngine,
  initialWeights,
  optimizerSchema,
  type Engine,
  type EngineName,
  type GradientMemory,
  type ModelConfig,
  type Optimizer,
  type TrainingState,
} from "../../../src/trainer/index.ts";

export const optimizer: Optimizer = optimizerSchema.parse({});

export function floatWeights(model: ModelConfig, seed: string): Float32Array {
  return Float32Array.from(initialWeights(model, seed), fromFixed);
}

/** Bytes with something to learn: each depends on the one before and some noise. */
export function learnableBytes(length: number, seed: string): Uint8Array {
  const random = new SeededRandom(seed);
  const bytes = new Uint8Array(length);
  for (let i = 1; i < length; i++) bytes[i] = ((bytes[i - 1] as number) * 5 + 1 + random.below(3)) % 251;
  return bytes;
}

export function batchOf(model: ModelConfig, sequences: number, step: number): Int32Array {
  const o = { seed: "batch", step, sequences, contextLength: model.contextLength };
  return assignedBatch(learnableBytes(20_000, "text"), o);
}

/** An engine that holds initial weights. */
export async function startEngine(o: {
  model: ModelConfig;
  engine?: EngineName;
  sequences: number;
  threads?: number;
  /** CPU only. */
  home?: StateHome;
  memory?: GradientMemory;
  optimizer?: Optimizer;
  stepsAtOnce?: number;
  mixedPrecision?: boolean;
  lossScale?: LossScale;
}): Promise<Engine> {
  const name = o.engine ?? "cpu";
  const options = { engine: name, model: o.model, sequences: o.sequences, threads: o.threads ?? 1 };
  const made = {
    ...options,
    ...(o.memory && { memory: o.memory }),
    ...(o.mixedPrecision && { mixedPrecision: o.mixedPrecision }),
    ...(o.lossScale && { lossScale: o.lossScale }),
    ...(o.stepsAtOnce && { stepsAtOnce: o.stepsAtOnce }),
    optimizer: o.optimizer ?? optimizer,
  };
  const engine = await (o.home === undefined
    ? createEngine(made)
    : createOnnxEngine({ ...made, engine: "cpu" }, o.home));
  return withInitialWeights(engine);
}

export async function withInitialWeights(engine: Engine): Promise<Engine> {
  engine.state.weights.set(floatWeights(engine.model, "init"));
  await engine.load();
  return engine;
}

/** Every bit of a state, small enough that a failing comparison prints in no time. */
export function fingerprint(state: TrainingState): Record<string, unknown> {
  const { weights, moment1, moment2, stepsCount } = state;
  const digest = (array: Float32Array): string => digestOf(bytesOf(array));
  return { weights: digest(weights), moment1: digest(moment1), moment2: digest(moment2), stepsCount };
}

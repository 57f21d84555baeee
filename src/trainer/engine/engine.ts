/** The port: what trains, measures and predicts, whatever it runs on. */

import type { OnnxEngineName } from "./backends.ts";
import type { ModelConfig } from "../model/config.ts";

export interface TrainingState {
  readonly weights: Float32Array; // (P,)
  readonly moment1: Float32Array; // (P,)
  readonly moment2: Float32Array; // (P,)
  /** Steps applied so far; drives Adam's bias correction. */
  stepsCount: number;
}

export interface StepResult {
  readonly lossNats: number;
  readonly gradientNorm: number;
  /** False when the loss or the gradient norm was not finite: the state is then what it was. */
  readonly applied: boolean;
}

export interface Engine {
  readonly name: EngineName;
  readonly model: ModelConfig;
  /** Flat arrays in canonical tensor order. Write only between calls, and call `load` after. */
  readonly state: TrainingState;
  /** One optimiser step on tokens (B * (T + 1),) row-major. */
  step(tokens: Int32Array, lr: number): Promise<StepResult>;
  /** How many steps `steps` should be given where there are so many; 1 where they cost the same one by one. */
  readonly stepsAtOnce: number;
  /** One step for each learning rate, at most `stepsAtOnce`, on tokens (steps * B * (T + 1),). */
  steps(tokens: Int32Array, lrs: readonly number[]): Promise<StepResult[]>;
  /** Mean nats per token on (n * (T + 1),) tokens, n a multiple of B; of `weights` (P,) or else the state's. */
  evaluate(tokens: Int32Array, weights?: Float32Array): Promise<number>;
  /** Logits (V,) of what follows the last of 1 to T tokens. */
  nextLogits(tokens: Int32Array, weights?: Float32Array): Promise<Float32Array>;
  /** After it, `state` holds the device's values. */
  sync(): Promise<void>;
  /** Must be called after `state` was written from outside. */
  load(): Promise<void>;
  /** Frees the runtime's memory; the engine can't be used afterwards. */
  close(): Promise<void>;
}

export type EngineName = OnnxEngineName | "tfjs";

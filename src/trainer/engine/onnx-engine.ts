/** The engine over ONNX Runtime. `run` blocks its thread, so an engine belongs in a worker; one call at a time. */
import { assert, StarlingError } from "../../core/index.ts";
import type { ModelConfig } from "../model/config.ts";
import { evaluationProgram, type GradientMemory, logitsProgram } from "../model/programs.ts";
import { deviceMemory, gradientMemory } from "../memory.ts";
import type { Optimizer } from "../optimizer.ts";
import { homeOf, stepsAtOnceOf, type OnnxEngineName } from "./backends.ts";
import { DeviceCopies } from "./device-copies.ts";
import type { Engine, EngineName, StepResult, TrainingState } from "./engine.ts";
import {
  floatsOf,
  intValue,
  numberOf,
  openSession,
  parameterValues,
  type Session,
  type Values,
} from "./session.ts";
import { openHostTraining } from "./host-training.ts";
import type { LossScale } from "./loss-scale.ts";
import { openLoopTraining } from "./loop-training.ts";
import { emptyState, StateValues, type StateHome } from "./state-values.ts";
import { openWholeTraining, type Training } from "./training.ts";

export interface OnnxEngineOptions {
  readonly engine: OnnxEngineName;
  readonly deviceIndex?: number | undefined;
  readonly model: ModelConfig;
  readonly optimizer: Optimizer;
  /** B: sequences per step. */
  readonly sequences: number;
  readonly threads: number;
  /** How a step saves memory. Default: in place what is fast and small; on a device the whole batch at once. */
  readonly memory?: GradientMemory;
  /** Steps in one run of the program; otherwise what the engine is best given. */
  readonly stepsAtOnce?: number;
  /** Matrix products in float16, where state is not updated in place: never for the engine `cpu` as it comes. */
  readonly mixedPrecision?: boolean;
  readonly lossScale?: LossScale;
}

/**
 * An engine with all-zero state; write the weights into `state.weights`, then `load`. Only tests choose the home.
 * @throws StarlingError `ENGINE_UNAVAILABLE` when the engine does not start on this machine.
 */
export async function createOnnxEngine(
  o: OnnxEngineOptions,
  home: StateHome = homeOf(o.engine),
): Promise<Engine> {
  const state = emptyState(o.model);
  const copies = new DeviceCopies(o);
  const values = new StateValues(o.model, state, home, copies);
  const stepsAtOnce = o.stepsAtOnce ?? stepsAtOnceOf(o.engine);
  const { mixedPrecision = false } = o;
  if (mixedPrecision && home === "in-place") throw noMixedPrecision(o.engine);
  const memory = home === "in-place" ? gradientMemory(o) : deviceMemory(o);
  const open = (): Promise<Training> => {
    if (home === "in-place") return openHostTraining({ ...o, ...memory }, state);
    return stepsAtOnce > 1 && !mixedPrecision
      ? openLoopTraining({ ...o, memory }, values, stepsAtOnce)
      : openWholeTraining({ ...o, memory }, values, home);
  };
  const { microSequences } = memory;
  return new OnnxEngine(o, { state, values, copies, training: await open(), stepsAtOnce, microSequences });
}

export function noMixedPrecision(engine: EngineName | "auto"): StarlingError {
  return new StarlingError(
    "PRECISION_INVALID",
    `expected no --mixed-precision for --engine ${engine}: it is for webgpu, cuda, directml and coreml`,
  );
}

class OnnxEngine implements Engine {
  readonly name: EngineName;
  readonly model: ModelConfig;
  readonly state: TrainingState;
  readonly stepsAtOnce: number;
  readonly #o: OnnxEngineOptions;
  readonly #values: StateValues;
  readonly #copies: DeviceCopies;
  readonly #training: Training;
  /** As many as a step computes at a time, so that measuring needs no more memory than training. */
  readonly #evaluationSequences: number;
  #evaluation: Session | undefined;
  #logits: Session | undefined;

  constructor(
    o: OnnxEngineOptions,
    parts: {
      state: TrainingState;
      values: StateValues;
      copies: DeviceCopies;
      training: Training;
      stepsAtOnce: number;
      microSequences: number;
    },
  ) {
    this.name = o.engine;
    this.model = o.model;
    this.#o = o;
    this.state = parts.state;
    this.stepsAtOnce = parts.training.steps === undefined ? 1 : parts.stepsAtOnce;
    this.#evaluationSequences = parts.microSequences;
    this.#values = parts.values;
    this.#copies = parts.copies;
    this.#training = parts.training;
  }

  async step(tokens: Int32Array, lr: number): Promise<StepResult> {
    assert(lr >= 0 && lr < Infinity, `expected a learning rate >= 0, got ${lr}`);
    this.#checkBatch(tokens);
    const result = await this.#training.step(tokens, { lr, step: this.state.stepsCount + 1 });
    if (result.applied) this.state.stepsCount += 1;
    return result;
  }

  async steps(tokens: Int32Array, lrs: readonly number[]): Promise<StepResult[]> {
    if (this.#training.steps === undefined) {
      assert(lrs.length === 1, `expected one step at once, got ${lrs.length}`);
      return [await this.step(tokens, lrs[0] as number)];
    }
    this.#checkBatch(tokens, lrs.length);
    const results = await this.#training.steps(tokens, { lrs, step: this.state.stepsCount + 1 });
    this.state.stepsCount += results.filter(({ applied }) => applied).length;
    return results;
  }

  async evaluate(tokens: Int32Array, weights?: Float32Array): Promise<number> {
    const { model, sequences } = this.#o;
    const batchLength = sequences * (model.contextLength + 1);
    const batches = tokens.length / batchLength;
    assert(
      Number.isInteger(batches) && batches > 0,
      `expected a multiple of ${batchLength} tokens, got ${tokens.length}`,
    );
    const part = this.#evaluationSequences;
    this.#evaluation ??= await openSession(evaluationProgram(model, part), this.#o);
    const parameters = this.#parameters(weights);
    const partLength = part * (model.contextLength + 1);
    let sum = 0;
    for (let at = 0; at < tokens.length; at += partLength) {
      const batch = intValue(tokens.subarray(at, at + partLength), [part, model.contextLength + 1]);
      sum += numberOf((await this.#evaluation.run({ ...parameters, batch })) as Values, "loss");
    }
    return (sum * partLength) / tokens.length;
  }

  async nextLogits(tokens: Int32Array, weights?: Float32Array): Promise<Float32Array> {
    const { model } = this.#o;
    const T = model.contextLength;
    assert(tokens.length >= 1 && tokens.length <= T, `expected 1 to ${T} tokens, got ${tokens.length}`);
    this.#logits ??= await openSession(logitsProgram(model), this.#o);
    // What comes after the last token is masked from it, so zeros will do.
    const padded = new Int32Array(T);
    padded.set(tokens);
    const outputs = await this.#logits.run({
      ...this.#parameters(weights),
      tokens: intValue(padded, [T]),
      position: intValue(Int32Array.of(tokens.length - 1), [1]),
    });
    return floatsOf(outputs as Values, "logits");
  }

  sync(): Promise<void> {
    return this.#values.sync();
  }

  async load(): Promise<void> {
    this.#values.load();
  }

  async close(): Promise<void> {
    this.#values.load();
    await this.#copies.close();
    await this.#training.close();
    await this.#evaluation?.release();
    await this.#logits?.release();
  }

  #checkBatch(tokens: Int32Array, count = 1): void {
    const shape = [count, this.#o.sequences, this.model.contextLength + 1] as const;
    const length = shape[0] * shape[1] * shape[2];
    assert(tokens.length === length, `expected tokens of shape [${shape.join()}], got ${tokens.length}`);
  }

  #parameters(weights: Float32Array | undefined): Values {
    return weights === undefined ? this.#values.weights() : parameterValues(this.#o.model, weights);
  }
}

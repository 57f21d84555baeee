/** The engine over ONNX Runtime. `run` blocks its thread, so an engine belongs in a worker; one call at a time. */
import { assert } from "../../core/index.ts";
import { stepScalars } from "../graph/adamw.ts";
import type { ModelConfig } from "../model/config.ts";
import { evaluationProgram, logitsProgram, trainingProgram } from "../model/programs.ts";
import type { Optimizer } from "../optimizer.ts";
import { homeOf, type OnnxEngineName } from "./backends.ts";
import { DeviceCopies } from "./device-copies.ts";
import type { Engine, EngineName, StepResult, TrainingState } from "./engine.ts";
import {
  floatsOf,
  intValue,
  numberOf,
  openSession,
  parameterValues,
  scalarValue,
  type Session,
  type Values,
} from "./session.ts";
import { emptyState, StateValues, type StateHome, updatedNames } from "./state-values.ts";

export interface OnnxEngineOptions {
  readonly engine: OnnxEngineName;
  readonly deviceIndex?: number | undefined;
  readonly model: ModelConfig;
  readonly optimizer: Optimizer;
  /** B: sequences per step. */
  readonly sequences: number;
  readonly threads: number;
}

/**
 * An engine with all-zero state; write the weights into `state.weights`, then `load`. Only tests choose the home.
 * @throws StarlingError `ENGINE_UNAVAILABLE` when the engine does not start on this machine.
 */
export async function createOnnxEngine(
  o: OnnxEngineOptions,
  home: StateHome = homeOf(o.engine),
): Promise<Engine> {
  const program = trainingProgram(o.model, o.optimizer, o.sequences);
  const keptOnDevice = home === "on-device" ? updatedNames(o.model) : [];
  return new OnnxEngine(o, await openSession(program, { ...o, keptOnDevice }), home);
}

class OnnxEngine implements Engine {
  readonly name: EngineName;
  readonly model: ModelConfig;
  readonly state: TrainingState;
  readonly #o: OnnxEngineOptions;
  readonly #values: StateValues;
  readonly #copies: DeviceCopies;
  readonly #training: Session;
  #evaluation: Session | undefined;
  #logits: Session | undefined;

  constructor(o: OnnxEngineOptions, training: Session, home: StateHome) {
    this.name = o.engine;
    this.model = o.model;
    this.#o = o;
    this.#training = training;
    this.state = emptyState(o.model);
    this.#copies = new DeviceCopies(o);
    this.#values = new StateValues(o.model, this.state, home, this.#copies);
  }

  async step(tokens: Int32Array, lr: number): Promise<StepResult> {
    assert(lr >= 0 && lr < Infinity, `expected a learning rate >= 0, got ${lr}`);
    const { optimizer } = this.#o;
    const scalars = stepScalars(optimizer, lr, this.state.stepsCount + 1);
    const outputs = await this.#values.step(this.#training, {
      batch: this.#batch(tokens),
      stepSize: scalarValue(scalars.stepSize),
      epsilon: scalarValue(scalars.epsilon),
      shrink: scalarValue(scalars.shrink),
    });
    const lossNats = numberOf(outputs, "loss");
    const gradientNorm = numberOf(outputs, "gradientNorm");
    const applied = numberOf(outputs, "applied") === 1;
    if (applied) this.state.stepsCount += 1;
    return { lossNats, gradientNorm, applied };
  }

  async evaluate(tokens: Int32Array, weights?: Float32Array): Promise<number> {
    const { model, sequences } = this.#o;
    const batchLength = sequences * (model.contextLength + 1);
    const batches = tokens.length / batchLength;
    assert(
      Number.isInteger(batches) && batches > 0,
      `expected a multiple of ${batchLength} tokens, got ${tokens.length}`,
    );
    this.#evaluation ??= await openSession(evaluationProgram(model, sequences), this.#o);
    const parameters = this.#parameters(weights);
    let sum = 0;
    for (let at = 0; at < tokens.length; at += batchLength) {
      const batch = this.#batch(tokens.subarray(at, at + batchLength));
      sum += numberOf((await this.#evaluation.run({ ...parameters, batch })) as Values, "loss");
    }
    return sum / batches;
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
    await this.#training.release();
    await this.#evaluation?.release();
    await this.#logits?.release();
  }

  #batch(tokens: Int32Array): Values[string] {
    const { model, sequences } = this.#o;
    const shape = [sequences, model.contextLength + 1];
    assert(
      tokens.length === sequences * (model.contextLength + 1),
      `expected tokens of shape [${shape.join()}], got ${tokens.length}`,
    );
    return intValue(tokens, shape);
  }

  #parameters(weights: Float32Array | undefined): Values {
    return weights === undefined ? this.#values.weights() : parameterValues(this.#o.model, weights);
  }
}

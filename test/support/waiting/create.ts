/**
 * An engine that learns nothing and costs nothing: a step is a pause of `STARLING_STEP_MS`. The weights of a round move by as
 * much as AdamW would move them, by pseudo-random amounts, so that deltas are as large, and as dense, as real ones: half of it
 * where everybody goes, half each learner's own, as if there were something to learn. For tests
 * and benches of everything but the arithmetic, with more nodes than the machine could train.
 */
import { randomInt } from "node:crypto";
import { systemClock } from "../../../src/core/index.ts";
import type { EngineOptions } from "../../../src/trainer/engine/create.ts";
import type { Engine, StepResult, TrainingState } from "../../../src/trainer/engine/engine.ts";
import { type ModelConfig, parametersCount } from "../../../src/trainer/index.ts";

export { supportedEngines } from "../../../src/trainer/engine/create.ts";

const STEP_MS = Number(process.env["STARLING_STEP_MS"] ?? 100);
const LOSS_NATS = 1;
const EVERYBODYS = 1;
/** Of this learner: several may live in one process. */
const OWN = randomInt(2, 2 ** 30);

export async function createEngine({ model }: EngineOptions): Promise<Engine> {
  return new WaitingEngine(model);
}

class WaitingEngine implements Engine {
  readonly name = "cpu";
  readonly stepsAtOnce = 1;
  readonly model: ModelConfig;
  readonly state: TrainingState;
  #isMoved = false;

  constructor(model: ModelConfig) {
    const length = parametersCount(model);
    const array = (): Float32Array => new Float32Array(length);
    this.model = model;
    this.state = { weights: array(), moment1: array(), moment2: array(), stepsCount: 0 };
  }

  async step(_: Int32Array, lr: number): Promise<StepResult> {
    await systemClock.sleep(STEP_MS);
    if (!this.#isMoved) {
      move(this.state.weights, lr / 2, EVERYBODYS);
      move(this.state.weights, lr / 2, OWN + this.state.stepsCount);
    }
    this.#isMoved = true;
    this.state.stepsCount += 1;
    return { lossNats: LOSS_NATS, gradientNorm: 1, applied: true };
  }

  async steps(tokens: Int32Array, lrs: readonly number[]): Promise<StepResult[]> {
    const results: StepResult[] = [];
    for (const lr of lrs) results.push(await this.step(tokens, lr));
    return results;
  }

  async evaluate(): Promise<number> {
    return LOSS_NATS;
  }

  async nextLogits(): Promise<Float32Array> {
    return new Float32Array(this.model.vocabSize);
  }

  async sync(): Promise<void> {
    this.#isMoved = false;
  }

  load(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** weights (P,) by up to `lr` each, evenly spread (xorshift32; Marsaglia 2003). */
function move(weights: Float32Array, lr: number, seed: number): void {
  let x = Math.imul(seed, 0x9e3779b9) | 1;
  for (let i = 0; i < weights.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    weights[i] = (weights[i] as number) + (lr * x) / 2 ** 31;
  }
}

/** The inner steps of a round on one engine: it stops between two when the flock hurries or the round's time is up. */
import type { TrainOrder } from "../../consensus/index.ts";
import { type Clock, StarlingError } from "../../core/index.ts";
import { type Engine, type ShardSource, learningRate, nextBatch } from "../../trainer/index.ts";
import type { LearnerOptions } from "./options.ts";

/**
 * Steps that may fail in a row before the node gives up. A step that fails changes nothing, so five batches have then met
 * the same weights: it is these that are wrong, not a batch. Guess.
 */
const FAILED_STEPS_MAX = 5;

export type StepOrder = Pick<TrainOrder, "round" | "seed" | "tokensDone" | "flockSize">;

/** The batches of a round that one engine takes: number `first`, then every `apart`-th, at most `count`. */
export interface Share {
  readonly first: number;
  readonly apart: number;
  readonly count: number;
}

export interface Steps {
  /** Applied. */
  readonly count: number;
  readonly notAppliedCount: number;
  readonly lossFirst: number | null;
  readonly lossLast: number | null;
}

export const NO_STEPS: Steps = { count: 0, notAppliedCount: 0, lossFirst: null, lossLast: null };

export type StepOptions = Pick<
  LearnerOptions,
  "batch" | "model" | "optimizer" | "tokensBudget" | "roundMsMax"
>;

export class Stepper {
  readonly #options: StepOptions;
  readonly #engine: Engine;
  readonly #shards: ShardSource;
  readonly #clock: Clock;
  #hurriedRound = -1;
  #failedSteps = 0;

  constructor(
    options: StepOptions,
    { engine, shards, clock }: { engine: Engine; shards: ShardSource; clock: Clock },
  ) {
    this.#options = options;
    this.#engine = engine;
    this.#shards = shards;
    this.#clock = clock;
  }

  /** Asks a round to end after the step it is in, or after its first when it has not begun. */
  hurry(round: number): void {
    this.#hurriedRound = Math.max(this.#hurriedRound, round);
  }

  /**
   * From the engine's state, which was written from outside, to its state after the steps. `meanwhile` is called once, when the
   * engine is at work and this thread is not. Throws `TRAINING_DIVERGED`.
   */
  async run(order: StepOrder, share: Share, meanwhile?: () => void): Promise<Steps> {
    const untilMs = this.#clock.nowMs() + this.#options.roundMsMax;
    await this.#engine.load();
    let { count, notAppliedCount, lossFirst, lossLast } = NO_STEPS;
    const { stepsAtOnce } = this.#engine;
    for (let step = 0; step < share.count; step += stepsAtOnce) {
      // Let messages in between two runs: a hurry, or a delta to check.
      await new Promise(setImmediate);
      if (step > 0 && (this.#hurriedRound >= order.round || this.#clock.nowMs() >= untilMs)) break;
      const { tokens, lrs } = await this.#inputs(order, { share, step, count: stepsAtOnce });
      const stepping = this.#engine.steps(tokens, lrs);
      if (step === 0) meanwhile?.();
      for (const { lossNats, applied } of await stepping) {
        if (!applied) notAppliedCount += 1;
        this.#countFailure(applied);
        if (!applied) continue;
        count += 1;
        lossFirst ??= lossNats;
        lossLast = lossNats;
      }
    }
    await this.#engine.sync();
    return { count, notAppliedCount, lossFirst, lossLast };
  }

  /** Of `count` steps from the share's `step`-th on, or of as many as are left. */
  async #inputs(
    { seed, tokensDone, flockSize }: StepOrder,
    { share, step, count }: { share: Share; step: number; count: number },
  ): Promise<{ tokens: Int32Array; lrs: number[] }> {
    const { batch, model, optimizer, tokensBudget } = this.#options;
    const { sequences } = batch;
    const { contextLength } = model;
    const steps = Math.min(count, share.count - step);
    const length = sequences * (contextLength + 1);
    const tokens = new Int32Array(steps * length);
    const lrs: number[] = [];
    for (let i = 0; i < steps; i++) {
      const number = share.first + (step + i) * share.apart;
      const drawn = { seed, step: number, sequences, contextLength };
      tokens.set(await nextBatch(this.#shards, drawn), i * length);
      // What the others of the flock do meanwhile is a guess: as many steps as this engine.
      const done = tokensDone + (step + i) * sequences * contextLength * flockSize;
      lrs.push(learningRate(optimizer, done, tokensBudget));
    }
    return { tokens, lrs };
  }

  #countFailure(applied: boolean): void {
    this.#failedSteps = applied ? 0 : this.#failedSteps + 1;
    if (this.#failedSteps < FAILED_STEPS_MAX) return;
    throw new StarlingError(
      "TRAINING_DIVERGED",
      `expected finite losses, got ${FAILED_STEPS_MAX} steps in a row with none: the run's model has diverged; ` +
        "where other nodes go on, start again; where all stop, make a new run with a lower optimizer.lrMax or a longer warmupShare",
    );
  }
}

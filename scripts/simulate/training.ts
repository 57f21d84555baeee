/** A round of training in virtual time: so many steps, or up to the end of the step in which the flock hurries. */
import type { TrainOrder } from "../../src/consensus/index.ts";
import { SeededRandom } from "../../src/core/index.ts";

/** How long things take a node. */
export interface Pace {
  readonly stepsPerRound: number;
  readonly stepMs: number;
}

export interface TrainingOptions {
  /** Seeds how much the steps of a round differ from the pace. */
  readonly name: string;
  readonly pace: Pace;
  readonly order: TrainOrder;
  nowMs(): number;
  later(delayMs: number, run: () => void): void;
  finish(steps: number): void;
}

const CLOSING_MS = 20;
const STEP_JITTER = 0.2;

export class Training {
  readonly #options: TrainingOptions;
  readonly #startedMs: number;
  readonly #stepMs: number;
  /** Counts ends that were put down: only the last one is meant. */
  #ends = 0;

  constructor(options: TrainingOptions) {
    const { name, pace, order } = options;
    this.#options = options;
    this.#startedMs = options.nowMs();
    const jitter = new SeededRandom(`${name}/${order.round}/speed`).unit();
    this.#stepMs = pace.stepMs * (1 + STEP_JITTER * (jitter - 0.5));
    this.#endIn(order.closing ? CLOSING_MS : pace.stepsPerRound * this.#stepMs);
  }

  /** Ends with the step it is in: one at least. */
  hurry(): void {
    if (this.#options.order.closing) return;
    const doneMs = this.#options.nowMs() - this.#startedMs;
    const steps = Math.max(1, Math.ceil(doneMs / this.#stepMs));
    this.#endIn(Math.max(0, steps * this.#stepMs - doneMs));
  }

  #endIn(delayMs: number): void {
    const end = ++this.#ends;
    this.#options.later(delayMs, () => {
      if (end !== this.#ends) return;
      const { order, pace } = this.#options;
      const doneMs = this.#options.nowMs() - this.#startedMs;
      const steps = Math.min(pace.stepsPerRound, Math.max(1, Math.round(doneMs / this.#stepMs)));
      this.#options.finish(order.closing ? 0 : steps);
    });
  }
}

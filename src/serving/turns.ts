/** Who writes now and who waits: a few at once, a bounded line of others, and everybody else is asked to come later. */
import PQueue from "p-queue";
import { type Clock, type Verdict, accept, ignore } from "../core/index.ts";

export interface TurnsOptions {
  /** Texts that are written at the same time. */
  readonly atOnce: number;
  /** That may wait for one of them to end. */
  readonly queueMax: number;
}

/** Guesses: until a text has ended nobody knows how long one takes; nobody should wait for minutes to try again. */
const TURN_MS_FIRST = 5000;
const RETRY_SECONDS_MAX = 60;
/** Of the newest turn in the mean. Guess. */
const NEWEST_SHARE = 0.2;

export class Turns {
  readonly #options: TurnsOptions;
  readonly #clock: Clock;
  readonly #queue: PQueue;
  #meanMs = TURN_MS_FIRST;

  constructor(options: TurnsOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#queue = new PQueue({ concurrency: options.atOnce });
  }

  get waiting(): number {
    return this.#queue.size;
  }

  get writing(): number {
    return this.#queue.pending;
  }

  /**
   * A turn when it comes, with what ends it; ignored when too many wait. Who leaves the line (the signal) gets its reason
   * thrown.
   */
  async take(signal: AbortSignal): Promise<Verdict<() => void>> {
    const { atOnce, queueMax } = this.#options;
    if (this.writing >= atOnce && this.waiting >= queueMax)
      return ignore("QUEUE_FULL", `${this.writing} texts are being written and ${this.waiting} wait`);
    const begun = Promise.withResolvers<() => void>();
    this.#queue
      .add(
        () =>
          new Promise<void>((ended) => {
            const startedMs = this.#clock.nowMs();
            begun.resolve(() => {
              const tookMs = this.#clock.nowMs() - startedMs;
              this.#meanMs += NEWEST_SHARE * (tookMs - this.#meanMs);
              ended();
            });
          }),
        { signal },
      )
      .catch((error: unknown) => begun.reject(error as Error));
    return accept(await begun.promise);
  }

  /** When it is worth trying again: a turn's mean length for each round of turns that is ahead. */
  retryAfterSeconds(): number {
    const rounds = Math.ceil((this.waiting + 1) / this.#options.atOnce);
    return Math.min(RETRY_SECONDS_MAX, Math.max(1, Math.ceil((rounds * this.#meanMs) / 1000)));
  }

  /** Resolves when nobody writes or waits. */
  idle(): Promise<void> {
    return this.#queue.onIdle();
  }
}

/**
 * Keeps bytes per second below a bound, as a debt: whoever has moved bytes charges them, and the next waits until they
 * are paid. So the mean holds, and one piece (at most 1 MiB here) may go faster.
 */
import type { Clock } from "../../core/index.ts";

export class Throttle {
  readonly #bytesPerSecond: number;
  readonly #clock: Clock;
  #paidAtMs: number;

  constructor(o: { bytesPerSecond: number; clock: Clock }) {
    this.#bytesPerSecond = o.bytesPerSecond;
    this.#clock = o.clock;
    this.#paidAtMs = o.clock.nowMs();
  }

  charge(bytes: number): void {
    this.#paidAtMs = Math.max(this.#paidAtMs, this.#clock.nowMs()) + (1000 * bytes) / this.#bytesPerSecond;
  }

  /** Milliseconds until what was charged is paid. */
  get owedMs(): number {
    return Math.max(0, this.#paidAtMs - this.#clock.nowMs());
  }

  /** Resolves when nothing is owed; rejects with the signal's reason when that is aborted first. */
  async paid(signal?: AbortSignal): Promise<void> {
    // Others may have charged meanwhile.
    while (this.owedMs > 0) await this.#clock.sleep(this.owedMs, signal);
  }
}

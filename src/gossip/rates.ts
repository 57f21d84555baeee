/** Token buckets, one for each peer: so much a second, and so much at once. */
import type { Clock, PeerId } from "../core/index.ts";

/** Peers whose bucket is remembered; more than there can be connections. A forgotten one is full again. */
const BUCKETS_MAX = 1024;

export class Rates {
  readonly #perSec: number;
  readonly #burstMax: number;
  readonly #clock: Clock;
  readonly #buckets = new Map<PeerId, { tokens: number; atMs: number }>();

  constructor(o: { perSec: number; burstMax: number; clock: Clock }) {
    this.#perSec = o.perSec;
    this.#burstMax = o.burstMax;
    this.#clock = o.clock;
  }

  /** Takes `cost` tokens; false, and nothing taken, when there are not as many. */
  take(peer: PeerId, cost = 1): boolean {
    const nowMs = this.#clock.nowMs();
    const last = this.#buckets.get(peer) ?? { tokens: this.#burstMax, atMs: nowMs };
    const tokens = Math.min(this.#burstMax, last.tokens + ((nowMs - last.atMs) / 1000) * this.#perSec);
    const within = tokens >= cost;
    this.#buckets.delete(peer);
    this.#buckets.set(peer, { tokens: within ? tokens - cost : tokens, atMs: nowMs });
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= BUCKETS_MAX) break;
      this.#buckets.delete(oldest);
    }
    return within;
  }
}

/**
 * A bounded door: so many inside, so many waiting, everybody else is told at once that it is full. What a
 * peer can make us hold is then a product of constants.
 */
import type { PeerId } from "../core/index.ts";

export class Gate {
  readonly #insideMax: number;
  readonly #waitingMax: number;
  readonly #waiting: Array<() => void> = [];
  #inside = 0;

  constructor(o: { insideMax: number; waitingMax: number }) {
    this.#insideMax = o.insideMax;
    this.#waitingMax = o.waitingMax;
  }

  /** Whether nobody is inside or waiting, so that the gate may be forgotten. */
  get idle(): boolean {
    return this.#inside === 0 && this.#waiting.length === 0;
  }

  /**
   * Runs `work` when there is room, in order of arrival; `full` is the answer when there is not even room to
   * wait. Rejects with the signal's reason when it is aborted while waiting.
   */
  async run<T, F>(o: { work: () => Promise<T>; full: F; signal: AbortSignal }): Promise<T | F> {
    o.signal.throwIfAborted();
    if (this.#inside < this.#insideMax) this.#inside += 1;
    else if (this.#waiting.length >= this.#waitingMax) return o.full;
    else await this.#turn(o.signal);
    try {
      return await o.work();
    } finally {
      // The place is handed on, not given back, so that nobody can slip in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#inside -= 1;
      else next();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const enter = (): void => {
      signal.removeEventListener("abort", giveUp);
      resolve();
    };
    const giveUp = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(enter), 1);
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    this.#waiting.push(enter);
    return promise;
  }
}

/** One gate for each peer, forgotten when nobody uses it. */
export class PeerGates {
  readonly #o: { insideMax: number; waitingMax: number };
  readonly #gates = new Map<PeerId, Gate>();

  constructor(o: { insideMax: number; waitingMax: number }) {
    this.#o = o;
  }

  /** As `Gate.run`, through the peer's own gate. */
  async run<T, F>(peer: PeerId, o: { work: () => Promise<T>; full: F; signal: AbortSignal }): Promise<T | F> {
    const gate = this.#gates.get(peer) ?? new Gate(this.#o);
    this.#gates.set(peer, gate);
    try {
      return await gate.run(o);
    } finally {
      if (gate.idle) this.#gates.delete(peer);
    }
  }
}

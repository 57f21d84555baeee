/**
 * Many pulls in one process and in virtual time: peers whose uplinks send one block after the other, so that who uploads how
 * much, and when all have everything, can be counted without a network.
 */
import {
  type Cid,
  type Clock,
  type PeerId,
  SeededRandom,
  type Verdict,
  accept,
  ignore,
  reject,
  silentLog,
} from "../../src/core/index.ts";
import { Gifts } from "../../src/gossip/gifts.ts";
import type { HaveQuestion, Holding } from "../../src/gossip/have-protocol.ts";
import { type PullDeps, pull } from "../../src/gossip/pull.ts";
import { Agenda } from "../../scripts/simulate/agenda.ts";

/** Time that only passes when nobody has anything left to do. */
export class VirtualClock implements Clock {
  readonly #agenda: Agenda = new Agenda();

  nowMs(): number {
    return this.#agenda.nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, fail) => {
      if (signal?.aborted) return fail(signal.reason as Error);
      const giveUp = (): void => fail(signal?.reason as Error);
      signal?.addEventListener("abort", giveUp, { once: true });
      this.#agenda.in(ms, () => {
        signal?.removeEventListener("abort", giveUp);
        resolve();
      });
    });
  }

  /** Lets time pass until `done` is settled. */
  async run<T>(done: Promise<T>): Promise<T> {
    let isDone = false;
    const settled = done.finally(() => (isDone = true));
    settled.catch(() => undefined);
    while (!isDone) {
      await new Promise(setImmediate);
      if (!isDone) this.#agenda.step();
    }
    return settled;
  }
}

export interface PeerOptions {
  /** How long one block takes on the uplink. */
  readonly blockMs: number;
  readonly latencyMs?: number;
  readonly behaves?: "well" | "lies" | "hangs";
}

/** As many requests as the blocks protocol answers and lets wait; others find it busy. */
const QUEUE_MAX = 16;

export class SimPeer {
  readonly id: PeerId;
  readonly held: Set<Cid> = new Set<Cid>();
  readonly #gifts: Gifts;
  readonly #clock: VirtualClock;
  readonly #o: PeerOptions;
  isAlive: boolean = true;
  sentCount: number = 0;
  /** Requests of one asker that were here at the same time. */
  askedAtOnceMax: number = 0;
  readonly #askers = new Map<PeerId, number>();
  #queue: number = 0;
  #uplink: Promise<void> = Promise.resolve();

  constructor(name: string, clock: VirtualClock, o: PeerOptions) {
    this.id = name as PeerId;
    this.#clock = clock;
    this.#gifts = new Gifts({ clock });
    this.#o = o;
  }

  async have(asker: PeerId, { takes, cids }: HaveQuestion): Promise<Verdict<readonly Holding[]>> {
    await this.#clock.sleep(2 * (this.#o.latencyMs ?? 1));
    if (!this.isAlive) return ignore("PEER_UNREACHABLE", "it is gone");
    return accept(cids.map((cid) => this.#holding(cid, asker, takes)));
  }

  #holding(cid: Cid, asker: PeerId, takes: number): Holding {
    if (!this.held.has(cid)) return "missing";
    return this.#gifts.isFor(cid, asker, takes) ? "held" : "given";
  }

  async ask(asker: PeerId, cid: Cid, signal: AbortSignal): Promise<Verdict<Uint8Array>> {
    const here = (this.#askers.get(asker) ?? 0) + 1;
    this.#askers.set(asker, here);
    this.askedAtOnceMax = Math.max(this.askedAtOnceMax, here);
    try {
      return await this.#serve(asker, cid, signal);
    } finally {
      this.#askers.set(asker, (this.#askers.get(asker) ?? 1) - 1);
    }
  }

  async #serve(asker: PeerId, cid: Cid, signal: AbortSignal): Promise<Verdict<Uint8Array>> {
    await this.#clock.sleep(this.#o.latencyMs ?? 1);
    const gone = ignore("PEER_UNREACHABLE", "it is gone");
    if (!this.isAlive) return gone;
    if (this.#queue >= QUEUE_MAX) return ignore("BLOCK_BUSY", "the peer is busy");
    if (!this.held.has(cid)) return ignore("BLOCK_MISSING", "not here");
    if (this.#o.behaves === "lies") return reject("BLOCK_WRONG_HASH", "other bytes");
    this.#queue += 1;
    this.#gifts.give(cid, asker);
    const turn = this.#uplink.then(async () => {
      if (!this.isAlive || signal.aborted) return;
      const ms = this.#o.behaves === "hangs" ? 20_000 : this.#o.blockMs;
      await this.#clock.sleep(ms, signal).catch(() => undefined);
      if (this.isAlive && !signal.aborted) this.sentCount += 1;
    });
    this.#uplink = turn;
    await turn;
    this.#queue -= 1;
    await this.#clock.sleep(this.#o.latencyMs ?? 1);
    const isSent = this.isAlive && !signal.aborted && this.#o.behaves !== "hangs";
    return isSent ? accept(new Uint8Array(0)) : gone;
  }
}

/** One peer's pull of all blocks from all others. */
export function pullAll(
  self: SimPeer,
  o: {
    cids: readonly Cid[];
    others: readonly SimPeer[];
    clock: VirtualClock;
    onTake?: (cid: Cid) => void;
    signal?: AbortSignal;
  },
): Promise<void> {
  const byId = new Map(o.others.map((peer) => [peer.id, peer]));
  const other = (id: PeerId): SimPeer => byId.get(id) as SimPeer;
  const random = new SeededRandom(self.id);
  const order = o.others
    .filter(({ id }) => id !== self.id)
    .map((peer) => ({ peer, at: random.unit() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ peer }) => peer);
  const deps: PullDeps = {
    clock: o.clock,
    log: silentLog,
    random,
    ask: (holder, cid, signal) => other(holder).ask(self.id, cid, signal),
    have: (holder, question) => other(holder).have(self.id, question),
    providers: async () => [],
  };
  return pull(
    {
      cids: o.cids.filter((cid) => !self.held.has(cid)),
      root: o.cids[0] as Cid,
      holders: () => order.filter(({ isAlive }) => isAlive).map(({ id }) => id),
      take: async (cid) => {
        self.held.add(cid);
        o.onTake?.(cid);
      },
      signal: o.signal ?? new AbortController().signal,
    },
    deps,
  );
}

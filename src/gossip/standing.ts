/**
 * What a peer's faults have cost it, whichever way they came: a rejected message, a block with the wrong hash, junk on
 * a stream. GossipSub subtracts the points from its own score, and at `BANNED_POINTS` the connection is closed and no
 * new one is taken until the points have decayed. Keys are free, so this only limits what one connection can
 * cost us; what a peer may decide is settled elsewhere, by accepted work.
 */
import type { Clock, PeerId } from "../core/index.ts";

/** Guess: five rejected messages or two junk streams within minutes are no accident. */
export const BANNED_POINTS = 45;
/** Below this a banned peer is heard again. Guess. */
const FORGIVEN_POINTS = 25;
/** Guess: long enough that rubbish does not pay, short enough that a fixed peer comes back within the hour. */
const HALF_LIFE_MS = 10 * 60_000;
/** For so long a peer that was useful keeps its seat when it gets crowded. Guess: longer than most rounds. */
const USEFUL_MS = 10 * 60_000;
/** Guess: peers remembered; the oldest fault is forgotten first. */
const PEERS_MAX = 4096;

export const FAULT_POINTS = {
  /** The handler of a topic rejected the message. */
  message: 10,
  /** One message above the rate (topics.ts). */
  rate: 1,
  /** A block that does not match its hash, or a reply that no honest peer would send. */
  reply: 25,
  /** A request that no honest peer would send. */
  request: 25,
  /** Nothing moved for too long while it was its turn: it did not send its request, or did not read our reply. */
  stall: 10,
  /** One connection more than a peer has any use for. */
  connection: 10,
  /** Far more bytes or streams than anybody asked for. */
  flood: 25,
} as const;

interface Entry {
  points: number;
  atMs: number;
  banned: boolean;
}

export class Standing {
  readonly #clock: Clock;
  readonly #onBan: (peer: PeerId) => void;
  readonly #entries = new Map<PeerId, Entry>();
  readonly #usefulAtMs = new Map<PeerId, number>();

  constructor(o: { clock: Clock; onBan: (peer: PeerId) => void }) {
    this.#clock = o.clock;
    this.#onBan = o.onBan;
  }

  fault(peer: PeerId, kind: keyof typeof FAULT_POINTS): void {
    const points = this.points(peer) + FAULT_POINTS[kind];
    const wasBanned = this.banned(peer);
    this.#entries.delete(peer);
    this.#entries.set(peer, {
      points,
      atMs: this.#clock.nowMs(),
      banned: wasBanned || points >= BANNED_POINTS,
    });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= PEERS_MAX) break;
      this.#entries.delete(oldest);
    }
    if (!wasBanned && points >= BANNED_POINTS) this.#onBan(peer);
  }

  /** It brought us something that we did not have: an accepted message, a block. */
  merit(peer: PeerId): void {
    this.#usefulAtMs.delete(peer);
    this.#usefulAtMs.set(peer, this.#clock.nowMs());
    for (const oldest of this.#usefulAtMs.keys()) {
      if (this.#usefulAtMs.size <= PEERS_MAX) break;
      this.#usefulAtMs.delete(oldest);
    }
  }

  isUseful(peer: PeerId): boolean {
    const atMs = this.#usefulAtMs.get(peer);
    return atMs !== undefined && this.#clock.nowMs() - atMs < USEFUL_MS;
  }

  /** points * 2^(-elapsed / half-life); 0 for a peer without faults. */
  points(peer: PeerId): number {
    const entry = this.#entries.get(peer);
    if (entry === undefined) return 0;
    return entry.points * 2 ** (-(this.#clock.nowMs() - entry.atMs) / HALF_LIFE_MS);
  }

  banned(peer: PeerId): boolean {
    return (this.#entries.get(peer)?.banned ?? false) && this.points(peer) >= FORGIVEN_POINTS;
  }
}

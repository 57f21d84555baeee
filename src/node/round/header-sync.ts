/** Headers that gossip did not bring: history for joiners, gaps for everybody. Gossip itself forgets after seconds. */
import {
  type Clock,
  type ContributionId,
  type Logger,
  type PeerId,
  type Verdict,
  pause,
} from "../../core/index.ts";
import { messageOf } from "../../core/index.ts";
import { type HeadersRequest, SYNC_IDS_MAX, type Swarm } from "../../gossip/index.ts";

const REQUEST_MS_MAX = 10_000;
/** Rounds that an ordinary look back covers; unknown parents are asked for by id. Guess. */
const LOOK_BACK_ROUNDS = 3;

export interface HeaderSyncDeps {
  readonly swarm: Swarm;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly phase: number;
  /** How often one of our peers is asked for what is new. */
  intervalMs(): number;
  /** The round being worked on. */
  roundNow(): number;
  /** Ids that queued headers wait for. */
  missing(): readonly ContributionId[];
  /** Takes a header; the value is its round. */
  receive(bytes: Uint8Array): Promise<Verdict<number>>;
}

export class HeaderSync {
  readonly #deps: HeaderSyncDeps;
  #turn = 0;
  #isSearching = false;

  constructor(deps: HeaderSyncDeps) {
    this.#deps = deps;
  }

  /**
   * All headers of a peer from a round on, and what they build on. One who has none there may hold another history with fewer
   * rounds, which may be the heavier one: it is asked from half as far, and so on. False when the peer did not answer.
   */
  async catchUp(peer: PeerId, fromRound: number): Promise<boolean> {
    for (let from = fromRound; ;) {
      const reply = await this.#ask(peer, { phase: this.#deps.phase, fromRound: from });
      if (reply === undefined) return false;
      if (reply.headers.length === 0 && !reply.more && from > 0) {
        from = Math.floor(from / 2);
        continue;
      }
      let last = from;
      for (const bytes of reply.headers) {
        const verdict = await this.#deps.receive(bytes);
        if (verdict.kind === "accept") last = Math.max(last, verdict.value);
      }
      // Pages overlap by one round; a page that ends in the round it began with has no more to give.
      if (!reply.more || last === from) break;
      from = last;
    }
    // Of another history we may have nothing yet; who has its newest rounds has the older ones too.
    await this.fetchMissing(peer);
    return true;
  }

  /** Asks one peer after the other, for ever: for the last rounds, then for what is missing by id. */
  async run(): Promise<void> {
    const { clock, signal } = this.#deps;
    while (await pause(clock, this.#deps.intervalMs(), signal)) {
      const peer = this.#nextPeer();
      if (peer === undefined) continue;
      await this.catchUp(peer, Math.max(0, this.#deps.roundNow() - LOOK_BACK_ROUNDS));
    }
  }

  /** Asks a peer for the parents that queued headers wait for, and their parents in turn. */
  async fetchMissing(peer: PeerId): Promise<void> {
    // One search at a time: whoever sends many headers without parents must not make us ask as often.
    if (this.#isSearching) return;
    this.#isSearching = true;
    try {
      await this.#search(peer);
    } finally {
      this.#isSearching = false;
    }
  }

  async #search(peer: PeerId): Promise<void> {
    for (let before = ""; ;) {
      const ids = this.#deps.missing().slice(0, SYNC_IDS_MAX);
      const key = ids.join();
      if (ids.length === 0 || key === before) return;
      before = key;
      const reply = await this.#ask(peer, { ids });
      for (const bytes of reply?.headers ?? []) await this.#deps.receive(bytes);
    }
  }

  #nextPeer(): PeerId | undefined {
    const peers = this.#deps.swarm.peers();
    this.#turn += 1;
    return peers[this.#turn % Math.max(1, peers.length)];
  }

  async #ask(
    peer: PeerId,
    query: HeadersRequest,
  ): Promise<{ headers: readonly Uint8Array[]; more: boolean } | undefined> {
    const signal = AbortSignal.any([this.#deps.signal, AbortSignal.timeout(REQUEST_MS_MAX)]);
    try {
      return await this.#deps.swarm.requestHeaders(peer, query, { signal });
    } catch (error) {
      // Peers come and go; another one is asked next time.
      this.#deps.log.debug("peer gave no headers", { peer, error: messageOf(error) });
      return undefined;
    }
  }
}

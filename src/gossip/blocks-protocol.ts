/**
 * `/starling/1/blocks`: bytes by content. Request: the CID's bytes. Reply: one status byte, then the block. Every block
 * is hashed before anybody sees it, so any holder is as good as the author, and a wrong one costs its sender.
 */
import { setMaxListeners } from "node:events";
import { Uint8ArrayList } from "uint8arraylist";
import {
  BLOCK_BYTES,
  type Cid,
  type PeerId,
  SeededRandom,
  type Service,
  StarlingError,
  type Verdict,
  accept,
  assert,
  ignore,
  matchesCid,
  messageOf,
  parseCid,
  pause,
  reject,
  startAll,
  stopAll,
} from "../core/index.ts";
import { cidIn } from "./bytes.ts";
import { Exchange, type ExchangeDeps } from "./exchange.ts";
import type { Reply } from "./framing.ts";
import { Gate } from "./gate.ts";
import { Gifts } from "./gifts.ts";
import { HaveProtocol, type Holding } from "./have-protocol.ts";
import { BLOCKS_PROTOCOL } from "./names.ts";
import { type PullOptions, pull } from "./pull.ts";
import { Rates } from "./rates.ts";

/** What this node can serve; given by whoever owns the disk. */
export interface BlockSource {
  get(cid: Cid): Promise<Uint8Array | undefined>;
  /** Whether there is something to serve: asked far more often than `get`, so it must cost nothing. */
  has(cid: Cid): Promise<boolean>;
}

const FOUND = 0;
const MISSING = 1;
const BUSY = 2;

/** A binary CIDv1 with sha2-256 is 36 bytes. */
const REQUEST_BYTES_MAX = 64;
/** Measured on loopback with 50 ms of delay: four 1 MiB requests at once give 37 MB/s, one 15 MB/s. */
const PER_PEER_MAX = 4;
/**
 * 8 MiB on their way out at once: few, so that on a slow line each is soon whole and can be served by who got it; with
 * 1 MB/s of uplink, who waits hears from us before it gives up. Guess.
 */
const ANSWERED_MAX = 8;
const WAITING_MAX = 8;
/** Blocks of ours on their way in at once, of all pulls: 32 MiB. Guess. */
const FETCHED_MAX = 32;
const FETCHES_WAITING_MAX = 4096;
/** Of one peer. An honest one asks around for what is new: 64 bodies of a round at once, some times over. Guess. */
const MISSES_PER_SEC = 32;
const MISSES_BURST = 512;
/** When every holder was busy or absent, ask round again: 0.2, 0.4 .. 6.4 s. Guess. */
const PASSES_MAX = 7;
const PAUSE_MS = 200;

export interface BlockDeps extends ExchangeDeps {
  source: BlockSource;
  /** Who else may have it; asked only when the named holders do not. */
  providers: (cid: Cid, signal: AbortSignal) => Promise<PeerId[]>;
}

export class BlocksProtocol implements Service {
  readonly name = "blocks";
  readonly #exchange: Exchange;
  readonly #have: HaveProtocol;
  readonly #deps: BlockDeps;
  readonly #fetching: Gate = new Gate({ insideMax: FETCHED_MAX, waitingMax: FETCHES_WAITING_MAX });
  readonly #gifts: Gifts;
  readonly #random: SeededRandom;

  constructor(deps: BlockDeps) {
    this.#deps = deps;
    this.#gifts = new Gifts(deps);
    // Each node its own: receivers that drew alike would all want the same block.
    this.#random = new SeededRandom(deps.libp2p.peerId.toString());
    const misses = new Rates({ perSec: MISSES_PER_SEC, burstMax: MISSES_BURST, clock: deps.clock });
    this.#exchange = new Exchange(deps, {
      protocol: BLOCKS_PROTOCOL,
      requestBytesMax: REQUEST_BYTES_MAX,
      replyBytesMax: BLOCK_BYTES + 1,
      perPeerMax: PER_PEER_MAX,
      answeredMax: ANSWERED_MAX,
      waitingMax: WAITING_MAX,
      busy: Uint8Array.of(BUSY),
      // Before its turn comes: who asks meanwhile must know.
      arrived: (request, asker) => {
        const cid = cidIn(request);
        if (cid !== undefined) this.#gifts.give(cid, asker);
      },
      reply: async (request, asker) => {
        const reply = await this.#replyTo(request);
        const isMissing = reply.kind === "accept" && reply.value.length === 1;
        if (isMissing && !misses.take(asker)) deps.standing.fault(asker, "rate");
        return reply;
      },
    });
    this.#have = new HaveProtocol({
      ...deps,
      holding: (cid, asker, takes) => this.#holding(cid, asker, takes),
    });
  }

  async start(): Promise<void> {
    await startAll([this.#exchange, this.#have]);
  }

  async stop(): Promise<void> {
    await stopAll([this.#exchange, this.#have]);
  }

  /**
   * Many verified blocks from all their holders at once (pull.ts); a single one as `fetch` does, since a body of one block
   * has nothing to trade with. Throws `BLOCK_NOT_FOUND`, and what `take` throws.
   */
  async fetchAll(o: PullOptions): Promise<void> {
    const [first, ...more] = o.cids;
    if (first !== undefined && more.length === 0)
      return o.take(first, await this.fetch(first, o.holders(), { signal: o.signal }));
    const self = this.#deps.libp2p.peerId.toString();
    await pull(
      { ...o, holders: () => o.holders().filter((peer) => peer !== self) },
      {
        clock: this.#deps.clock,
        log: this.#deps.log,
        random: this.#random,
        ask: (holder, cid, signal) => this.#fetchFrom(holder, cid, signal),
        have: (holder, question, signal) => this.#have.ask(holder, question, signal),
        providers: async (cid, signal) =>
          (await this.#deps.providers(cid, signal)).filter((peer) => peer !== self),
      },
    );
  }

  /**
   * One verified block of at most 1 MiB from the first holder that has it, tried in order, then from providers
   * found through the DHT. Throws `BLOCK_NOT_FOUND` when nobody had it or the signal was aborted first.
   */
  async fetch(cid: Cid, holders: readonly PeerId[], o: { signal: AbortSignal }): Promise<Uint8Array> {
    // Many blocks may be waited for under one signal.
    setMaxListeners(0, o.signal);
    const self = this.#deps.libp2p.peerId.toString();
    let candidates = [...new Set(holders)].filter((peer) => peer !== self);
    let failures = new Map<PeerId, string>();
    for (let pass = 0; pass < PASSES_MAX && !o.signal.aborted; pass++) {
      failures = new Map();
      const known = await this.#firstOf(cid, candidates, failures, o.signal);
      if (known !== undefined) return known;
      if (pass === 0) {
        const more = (await this.#deps.providers(cid, o.signal)).filter(
          (peer) => peer !== self && !candidates.includes(peer),
        );
        const found = await this.#firstOf(cid, more, failures, o.signal);
        if (found !== undefined) return found;
        candidates = [...candidates, ...more];
      }
      candidates = candidates.filter((peer) => failures.get(peer) === "BLOCK_BUSY");
      if (candidates.length === 0 || !(await pause(this.#deps.clock, PAUSE_MS * 2 ** pass, o.signal))) break;
    }
    const asked = [...failures].map(([peer, code]) => `${peer} ${code}`).join(", ") || "nobody to ask";
    const deadline = o.signal.aborted ? "; the deadline came first" : "";
    throw new StarlingError("BLOCK_NOT_FOUND", `expected a holder of block ${cid}: ${asked}${deadline}`);
  }

  async #firstOf(
    cid: Cid,
    holders: readonly PeerId[],
    failures: Map<PeerId, string>,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    for (const holder of holders) {
      if (signal.aborted) return undefined;
      const verdict = await this.#fetchFrom(holder, cid, signal);
      if (verdict.kind === "accept") return verdict.value;
      failures.set(holder, verdict.code);
    }
    return undefined;
  }

  async #fetchFrom(holder: PeerId, cid: Cid, signal: AbortSignal): Promise<Verdict<Uint8Array>> {
    const parsed = parseCid(cid);
    assert(parsed !== undefined, `a Cid is a CIDv1 with sha2-256, got ${cid}`);
    const full = ignore("PEER_QUEUE_FULL", `expected at most ${FETCHES_WAITING_MAX} waiting blocks`);
    const work = (): Promise<Verdict<Uint8Array>> => this.#exchange.ask(holder, parsed.bytes, { signal });
    const reply = await this.#fetching.run({ work, full, signal }).catch((error: unknown) => {
      // Only the signal ends the wait; for the caller, a peer that has not answered.
      return ignore("PEER_UNREACHABLE", messageOf(error));
    });
    if (reply.kind !== "accept") return reply;
    const verdict = blockIn(reply.value, cid);
    if (verdict.kind === "accept") this.#deps.standing.merit(holder);
    if (verdict.kind === "reject") {
      this.#deps.standing.fault(holder, "reply");
      this.#deps.log.warn("block rejected", { holder, code: verdict.code, detail: verdict.detail });
    }
    return verdict;
  }

  async #replyTo(request: Uint8Array): Promise<Verdict<Reply>> {
    const cid = cidIn(request);
    if (cid === undefined)
      return reject("BLOCK_REQUEST", `expected a CIDv1 with sha2-256, got ${request.length} bytes`);
    const block = await this.#deps.source.get(cid);
    // A block of ours that is too large to be fetched is as good as none.
    if (block === undefined || block.length > BLOCK_BYTES) return accept(Uint8Array.of(MISSING));
    return accept(new Uint8ArrayList(Uint8Array.of(FOUND), block));
  }

  async #holding(cid: Cid, asker: PeerId, takes: number): Promise<Holding> {
    if (!(await this.#deps.source.has(cid))) return "missing";
    return this.#gifts.isFor(cid, asker, takes) ? "held" : "given";
  }
}

function blockIn(reply: Uint8Array, cid: Cid): Verdict<Uint8Array> {
  const block = reply.subarray(1);
  switch (reply[0]) {
    case FOUND:
      return matchesCid(cid, block)
        ? accept(block)
        : reject("BLOCK_WRONG_HASH", `expected the bytes of ${cid}, got ${block.length} others`);
    case MISSING:
      return ignore("BLOCK_MISSING", `the peer does not hold ${cid}`);
    case BUSY:
      return ignore("BLOCK_BUSY", "the peer is busy");
    default:
      return reject("BLOCK_STATUS", `expected status 0, 1 or 2, got ${reply[0]}`);
  }
}

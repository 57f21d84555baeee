/**
 * `/starling/1/blocks`: bytes by content. Request: the CID's bytes. Reply: one status byte, then the block. Every block
 * is hashed before anybody sees it, so any holder is as good as the author, and a wrong one costs its sender.
 */
import { setMaxListeners } from "node:events";
import { CID } from "multiformats/cid";
import {
  BLOCK_BYTES,
  type Cid,
  type Clock,
  type PeerId,
  type Service,
  StarlingError,
  type Verdict,
  accept,
  assert,
  checkCid,
  ignore,
  matchesCid,
  parseCid,
  reject,
} from "../core/index.ts";
import { Exchange, type ExchangeDeps } from "./exchange.ts";
import { BLOCKS_PROTOCOL } from "./names.ts";
import { Rates } from "./rates.ts";

/** What this node can serve; given by whoever owns the disk. */
export interface BlockSource {
  get(cid: Cid): Promise<Uint8Array | undefined>;
}

const FOUND = 0;
const MISSING = 1;
const BUSY = 2;

/** A binary CIDv1 with sha2-256 is 36 bytes. */
const REQUEST_BYTES_MAX = 64;
/** Measured on loopback with 50 ms of delay: four 1 MiB requests at once give 37 MB/s, one 15 MB/s. */
const PER_PEER_MAX = 4;
/** 16 MiB on their way out at once: with 1 MB/s of uplink, who waits hears from us before it gives up. Guess. */
const ANSWERED_MAX = 16;
const WAITING_MAX = 16;
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
  readonly #deps: BlockDeps;

  constructor(deps: BlockDeps) {
    this.#deps = deps;
    const misses = new Rates({ perSec: MISSES_PER_SEC, burstMax: MISSES_BURST, clock: deps.clock });
    this.#exchange = new Exchange(deps, {
      protocol: BLOCKS_PROTOCOL,
      requestBytesMax: REQUEST_BYTES_MAX,
      replyBytesMax: BLOCK_BYTES + 1,
      perPeerMax: PER_PEER_MAX,
      answeredMax: ANSWERED_MAX,
      waitingMax: WAITING_MAX,
      busy: Uint8Array.of(BUSY),
      reply: async (request, from) => {
        const reply = await replyTo(request, deps.source);
        const isMissing = reply.kind === "accept" && reply.value[0] === MISSING;
        if (isMissing && !misses.take(from)) deps.standing.fault(from, "rate");
        return reply;
      },
    });
  }

  start(): Promise<void> {
    return this.#exchange.start();
  }

  stop(): Promise<void> {
    return this.#exchange.stop();
  }

  /**
   * One verified block of at most 1 MiB from the first holder that has it, tried in order, then from providers
   * found through the DHT. Throws `BLOCK_NOT_FOUND` when nobody had it or the signal was aborted first.
   */
  async fetch(cid: Cid, holders: readonly PeerId[], o: { signal: AbortSignal }): Promise<Uint8Array> {
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
    const reply = await this.#exchange.ask(holder, parsed.bytes, { signal });
    if (reply.kind !== "accept") return reply;
    const verdict = blockIn(reply.value, cid);
    if (verdict.kind === "accept") this.#deps.standing.merit(holder);
    if (verdict.kind === "reject") {
      this.#deps.standing.fault(holder, "reply");
      this.#deps.log.warn("block rejected", { holder, code: verdict.code, detail: verdict.detail });
    }
    return verdict;
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

async function replyTo(request: Uint8Array, source: BlockSource): Promise<Verdict<Uint8Array>> {
  const cid = cidIn(request);
  if (cid === undefined)
    return reject("BLOCK_REQUEST", `expected a CIDv1 with sha2-256, got ${request.length} bytes`);
  const block = await source.get(cid);
  // A block of ours that is too large to be fetched is as good as none.
  if (block === undefined || block.length > BLOCK_BYTES) return accept(Uint8Array.of(MISSING));
  const reply = new Uint8Array(1 + block.length);
  reply[0] = FOUND;
  reply.set(block, 1);
  return accept(reply);
}

function cidIn(bytes: Uint8Array): Cid | undefined {
  try {
    const cid = CID.decode(bytes);
    return checkCid(cid) === undefined ? undefined : (cid.toString() as Cid);
  } catch {
    // Not a CID at all: the verdict says what was expected.
    return undefined;
  }
}

/** Whether the pause ended by itself. */
async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  setMaxListeners(0, signal);
  try {
    await clock.sleep(ms, signal);
    return true;
  } catch {
    // The caller's deadline came first; it is told so.
    return false;
  }
}

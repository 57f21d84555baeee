/**
 * `/starling/1/have`: who has which of these blocks. Request: how many the asker would take now (one byte), then the bytes
 * of up to 256 CIDs. Reply: one byte for each. A peer in the middle of a pull has some blocks and serves those, so this
 * is what makes a body spread from receiver to receiver; and the holder says which blocks it has given or promised to
 * others lately (gifts.ts), so that they are fetched from there, and not from the same uplink again.
 */
import {
  type Cid,
  type PeerId,
  type Service,
  type Verdict,
  accept,
  assert,
  parseCid,
  reject,
} from "../core/index.ts";
import { cidIn } from "./bytes.ts";
import { Exchange, type ExchangeDeps } from "./exchange.ts";
import { HAVE_PROTOCOL } from "./names.ts";

/** A block at a peer. */
export type Holding = "missing" | "held" | "given";

export interface HaveQuestion {
  /** How many of the blocks the asker would ask for now: so many are promised to it. */
  readonly takes: number;
  readonly cids: readonly Cid[];
}

/** 9 KiB of request; a window of 256 MiB, which is more than anybody pulls at once. */
export const HAVE_CIDS_MAX = 256;
const CID_BYTES = 36;
const HOLDINGS: readonly Holding[] = ["missing", "held", "given"];
/** Answers are small: what is at work waits for the disk alone. */
const PER_PEER_MAX = 4;
/** Blocks that an asker can be promised at once. From: the requests that a peer answers at once to another. */
const TAKES_MAX = 4;
const ANSWERED_MAX = 32;
const WAITING_MAX = 128;

export interface HaveDeps extends ExchangeDeps {
  /** What this node can say of a block to a peer that would take so many. */
  holding: (cid: Cid, asker: PeerId, takes: number) => Promise<Holding>;
}

export class HaveProtocol implements Service {
  readonly name = "have";
  readonly #exchange: Exchange;
  readonly #deps: HaveDeps;

  constructor(deps: HaveDeps) {
    this.#deps = deps;
    this.#exchange = new Exchange(deps, {
      protocol: HAVE_PROTOCOL,
      requestBytesMax: 1 + HAVE_CIDS_MAX * CID_BYTES,
      replyBytesMax: HAVE_CIDS_MAX,
      perPeerMax: PER_PEER_MAX,
      answeredMax: ANSWERED_MAX,
      waitingMax: WAITING_MAX,
      // Nothing for anything: ask again later.
      busy: new Uint8Array(0),
      reply: (request, asker) => replyTo(request, (cid, takes) => deps.holding(cid, asker, takes)),
    });
  }

  start(): Promise<void> {
    return this.#exchange.start();
  }

  stop(): Promise<void> {
    return this.#exchange.stop();
  }

  /** What a peer has of at most 256 blocks, in their order; none when it is busy. */
  async ask(peer: PeerId, question: HaveQuestion, signal: AbortSignal): Promise<Verdict<readonly Holding[]>> {
    const reply = await this.#exchange.ask(peer, encodeQuestion(question), { signal });
    if (reply.kind !== "accept") return reply;
    const verdict = decodeHoldings(reply.value, question.cids.length);
    if (verdict.kind === "reject") this.#deps.standing.fault(peer, "reply");
    return verdict;
  }
}

export function encodeQuestion({ takes, cids }: HaveQuestion): Uint8Array {
  assert(cids.length <= HAVE_CIDS_MAX, `expected at most ${HAVE_CIDS_MAX} CIDs, got ${cids.length}`);
  assert(takes >= 0 && takes <= TAKES_MAX, `expected 0 to ${TAKES_MAX} to take, got ${takes}`);
  const parts = cids.map((cid) => {
    const parsed = parseCid(cid);
    assert(parsed !== undefined, `a Cid is a CIDv1 with sha2-256, got ${cid}`);
    return parsed.bytes;
  });
  return Buffer.concat([Uint8Array.of(takes), ...parts]);
}

/** Undefined for anything but a question about 1 to 256 CIDs. */
export function decodeQuestion(bytes: Uint8Array): HaveQuestion | undefined {
  const [takes, ...rest] = bytes;
  if (takes === undefined || takes > TAKES_MAX || rest.length === 0 || rest.length % CID_BYTES !== 0)
    return undefined;
  const cids: Cid[] = [];
  for (let at = 1; at < bytes.length; at += CID_BYTES) {
    const cid = cidIn(bytes.subarray(at, at + CID_BYTES));
    if (cid === undefined) return undefined;
    cids.push(cid);
  }
  return { takes, cids };
}

async function replyTo(
  request: Uint8Array,
  holding: (cid: Cid, takes: number) => Promise<Holding>,
): Promise<Verdict<Uint8Array>> {
  const question = decodeQuestion(request);
  if (question === undefined)
    return reject("HAVE_REQUEST", `expected 1 to ${HAVE_CIDS_MAX} CIDs, got ${request.length} bytes`);
  const { takes, cids } = question;
  const holdings = await Promise.all(cids.map((cid) => holding(cid, takes)));
  return accept(Uint8Array.from(holdings, (each) => HOLDINGS.indexOf(each)));
}

function decodeHoldings(reply: Uint8Array, count: number): Verdict<readonly Holding[]> {
  if (reply.length !== 0 && reply.length !== count)
    return reject("HAVE_REPLY", `expected ${count} answers or none, got ${reply.length}`);
  const holdings = Array.from(reply, (byte) => HOLDINGS[byte]);
  const isKnown = (each: Holding | undefined): each is Holding => each !== undefined;
  return holdings.every(isKnown) ? accept(holdings) : reject("HAVE_REPLY", "expected bytes of 0, 1 or 2");
}

/**
 * `/starling/1/sync`: the headers that gossip has forgotten (its memory is about five seconds). A joiner asks from a
 * round on; a node that met an unknown parent asks by id. And where to find what a settled state is made of.
 */
import {
  DAG_CBOR,
  type Cid,
  type PeerId,
  type Service,
  StarlingError,
  accept,
  cidOf,
} from "../core/index.ts";
import { Exchange, type ExchangeDeps } from "./exchange.ts";
import { SYNC_PROTOCOL } from "./names.ts";
import {
  SYNC_REPLY_BYTES_MAX,
  SYNC_REQUEST_BYTES_MAX,
  type HeadersRequest,
  type StateName,
  type SyncReply,
  type SyncRequest,
  decodeReply,
  decodeRequest,
  decodeStateReply,
  encodeReply,
  encodeRequest,
  encodeStateReply,
} from "./sync-messages.ts";

/** Where headers come from; given by whoever owns the disk. */
export interface HeaderSource {
  /** Headers of rounds >= `fromRound` of one phase, oldest first, as stored; `more` if cut to `bytesMax`. */
  since(o: {
    phase: number;
    fromRound: number;
    bytesMax: number;
  }): Promise<{ headers: Uint8Array[]; more: boolean }>;
  /** The headers of these contributions that are stored, in any order. */
  byIds(ids: readonly Cid[]): Promise<Uint8Array[]>;
  /** The body that tells of a settled state, if it is held. */
  state(name: StateName): Cid | undefined;
}

/** Told to the source: leaves 128 KiB of the reply for CBOR's length prefixes. */
const HEADERS_BYTES_MAX = SYNC_REPLY_BYTES_MAX - 128 * 1024;
/** Guesses: replies are 1 MiB, and a joiner asks several peers. */
const PER_PEER_MAX = 2;
const ANSWERED_MAX = 4;
const WAITING_MAX = 32;

export interface SyncDeps extends ExchangeDeps {
  source: HeaderSource;
}

export class SyncProtocol implements Service {
  readonly name = "sync";
  readonly #exchange: Exchange;
  readonly #deps: SyncDeps;

  constructor(deps: SyncDeps) {
    this.#deps = deps;
    this.#exchange = new Exchange(deps, {
      protocol: SYNC_PROTOCOL,
      requestBytesMax: SYNC_REQUEST_BYTES_MAX,
      replyBytesMax: SYNC_REPLY_BYTES_MAX,
      perPeerMax: PER_PEER_MAX,
      answeredMax: ANSWERED_MAX,
      waitingMax: WAITING_MAX,
      // No headers, but more: come again.
      busy: encodeReply({ headers: [], more: true }),
      reply: async (bytes) => {
        const request = decodeRequest(bytes);
        return request.kind === "accept" ? accept(await this.#replyTo(request.value)) : request;
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
   * Headers from one peer, at most 1 MiB; those asked for by id are checked against it. No headers and `more`: the
   * peer is busy, ask again later. Throws `SYNC_FAILED` when the peer cannot be reached or answers rubbish.
   */
  async request(peer: PeerId, query: HeadersRequest, o: { signal: AbortSignal }): Promise<SyncReply> {
    const answered = await this.#exchange.ask(peer, encodeRequest(query), o);
    if (answered.kind !== "accept") throw failed(peer, answered.code, answered.detail);
    const reply = decodeReply(answered.value);
    if (reply.kind !== "accept") {
      this.#deps.standing.fault(peer, "reply");
      throw failed(peer, reply.code, reply.detail);
    }
    if ("ids" in query) {
      const asked = new Set<Cid>(query.ids);
      if (reply.value.headers.some((header) => !asked.has(cidOf(header, DAG_CBOR)))) {
        this.#deps.standing.fault(peer, "reply");
        throw failed(peer, "SYNC_UNASKED", "expected only headers that were asked for");
      }
    }
    return reply.value;
  }

  /**
   * The body that tells of a settled state; undefined when the peer does not hold it, or is busy. Throws `SYNC_FAILED`
   * when the peer cannot be reached or answers rubbish.
   */
  async requestState(peer: PeerId, name: StateName, o: { signal: AbortSignal }): Promise<Cid | undefined> {
    const answered = await this.#exchange.ask(peer, encodeRequest(name), o);
    if (answered.kind !== "accept") throw failed(peer, answered.code, answered.detail);
    const reply = decodeStateReply(answered.value);
    if (reply.kind === "accept") return reply.value.base ?? undefined;
    if (decodeReply(answered.value).kind === "accept") return undefined;
    this.#deps.standing.fault(peer, "reply");
    throw failed(peer, reply.code, reply.detail);
  }

  async #replyTo(request: SyncRequest): Promise<Uint8Array> {
    if ("root" in request) return encodeStateReply(this.#deps.source.state(request));
    if ("ids" in request) {
      return encodeReply({ headers: await this.#deps.source.byIds(request.ids), more: false });
    }
    const { phase, fromRound } = request;
    return encodeReply(await this.#deps.source.since({ phase, fromRound, bytesMax: HEADERS_BYTES_MAX }));
  }
}

function failed(peer: PeerId, code: string, detail: string): StarlingError {
  return new StarlingError(
    "SYNC_FAILED",
    `expected an answer from ${peer}, got ${code}: ${detail}; ask another peer`,
  );
}

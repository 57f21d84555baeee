/**
 * What the request/response protocols share: opening a stream to a peer, bounding how many are open in either direction,
 * and what a fault costs. A protocol is then two pure-looking functions: bytes to a verdict.
 */
import { setMaxListeners } from "node:events";
import type { Connection, Libp2p, Stream } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import {
  type Clock,
  type Logger,
  type PeerId,
  type Service,
  type Verdict,
  accept,
  ignore,
  messageOf,
} from "../core/index.ts";
import { type Reply, StalledError, answer, ask } from "./framing.ts";
import { Gate, PeerGates } from "./gate.ts";
import { Rates } from "./rates.ts";
import type { Standing } from "./standing.ts";
import type { Traffic } from "./traffic.ts";

/** How long one answer may take, waiting for its turn included. Guess: 4 MiB at 0.5 Mbit/s. */
const ANSWER_TIMEOUT_MS = 60_000;
/** How long a stream may stand still before it is given up and the next holder is tried. Guess. */
const IDLE_MS = 20_000;
/**
 * The same where we answer: who does not send its request, or does not read our reply, holds a place that others wait
 * for. Guess: at 1 Mbit/s, four replies at once move every four seconds.
 */
const ANSWER_IDLE_MS = 8_000;
/** Requests of one peer. Guess: more blocks than a line of 4 Gbit/s carries. */
const REQUESTS_PER_SEC = 512;
const REQUESTS_BURST = 2048;
/** Requests of ours that may wait for one peer. Guess: far above what a caller pulls at once. */
const ASKING_MAX = 4096;
/** Streams of one protocol on one connection and direction: those at work and those that wait. */
const STREAMS_MAX = 16;

export interface ExchangeDeps {
  libp2p: Libp2p;
  standing: Standing;
  traffic: Traffic;
  clock: Clock;
  log: Logger;
}

export interface ExchangeOptions {
  protocol: string;
  requestBytesMax: number;
  replyBytesMax: number;
  /** Requests at work between us and one peer, in each direction. */
  perPeerMax: number;
  /** Requests of all peers that we answer at once, and that may wait for it. */
  answeredMax: number;
  waitingMax: number;
  /** The reply to a request that finds the door full. */
  busy: Uint8Array;
  /** Told of a request as soon as it is here, before it waits for its turn. */
  arrived?: (request: Uint8Array, asker: PeerId) => void;
  /** The reply to one request of at most `requestBytesMax` bytes. */
  reply: (request: Uint8Array, asker: PeerId) => Promise<Verdict<Reply>>;
}

export class Exchange implements Service {
  readonly name: string;
  readonly #deps: ExchangeDeps;
  readonly #o: ExchangeOptions;
  readonly #asking: PeerGates;
  /** First a door for each peer, then one for all: a peer that does not read its replies blocks only its own. */
  readonly #answeringPeer: PeerGates;
  readonly #answeringAll: Gate;
  readonly #rates: Rates;
  readonly #answers = new Set<Promise<void>>();
  readonly #stopped = new AbortController();

  constructor(deps: ExchangeDeps, options: ExchangeOptions) {
    const { perPeerMax, answeredMax, waitingMax } = options;
    this.#deps = deps;
    this.#o = options;
    this.name = options.protocol;
    this.#asking = new PeerGates({ insideMax: perPeerMax, waitingMax: ASKING_MAX });
    this.#answeringPeer = new PeerGates({ insideMax: perPeerMax, waitingMax: STREAMS_MAX });
    this.#rates = new Rates({ perSec: REQUESTS_PER_SEC, burstMax: REQUESTS_BURST, clock: deps.clock });
    this.#answeringAll = new Gate({ insideMax: answeredMax, waitingMax });
    setMaxListeners(0, this.#stopped.signal);
  }

  async start(): Promise<void> {
    await this.#deps.libp2p.handle(
      this.#o.protocol,
      (stream, connection) => {
        const answering = this.#answer(stream, connection).finally(() => this.#answers.delete(answering));
        this.#answers.add(answering);
      },
      { maxInboundStreams: STREAMS_MAX, maxOutboundStreams: STREAMS_MAX, runOnLimitedConnection: true },
    );
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error("the swarm is stopping"));
    await this.#deps.libp2p.unhandle(this.#o.protocol);
    await Promise.all(this.#answers);
  }

  /** One request to one peer, dialled if need be. `ignore PEER_UNREACHABLE`: no fault that we could name. */
  async ask(peer: PeerId, request: Uint8Array, o: { signal: AbortSignal }): Promise<Verdict<Uint8Array>> {
    const signal = AbortSignal.any([o.signal, this.#stopped.signal]);
    setMaxListeners(0, signal);
    try {
      const full = ignore("PEER_QUEUE_FULL", `expected at most ${ASKING_MAX} waiting requests`);
      return await this.#asking.run(peer, { work: () => this.#askNow(peer, request, signal), full, signal });
    } catch (error) {
      // Dialling, the stream or the deadline failed: for the caller, a peer that has not answered.
      return ignore("PEER_UNREACHABLE", messageOf(error));
    }
  }

  async #askNow(peer: PeerId, request: Uint8Array, signal: AbortSignal): Promise<Verdict<Uint8Array>> {
    const { libp2p, standing, traffic } = this.#deps;
    let bytes = this.#o.replyBytesMax;
    const stream = await libp2p.dialProtocol(peerIdFromString(peer), this.#o.protocol, {
      maxOutboundStreams: STREAMS_MAX,
      // Relays of ours carry gigabytes; a peer that has a direct connection is asked first (node/bodies.ts).
      runOnLimitedConnection: true,
      signal,
    });
    try {
      const o = { bytesMax: this.#o.replyBytesMax, idleMs: IDLE_MS, clock: this.#deps.clock, signal };
      const verdict = await ask(stream, request, o);
      if (verdict.kind === "reject") standing.fault(peer, "reply");
      if (verdict.kind === "accept") bytes = verdict.value.length;
      return verdict;
    } finally {
      // A reply that broke off may have come almost whole.
      traffic.asked(peer, bytes);
    }
  }

  async #answer(stream: Stream, connection: Connection): Promise<void> {
    const peer = connection.remotePeer.toString() as PeerId;
    const { standing, log } = this.#deps;
    const { protocol, requestBytesMax, busy, reply } = this.#o;
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
    setMaxListeners(0, signal);
    if (!this.#rates.take(peer)) {
      standing.fault(peer, "rate");
      return stream.abort(new Error("too many requests"));
    }
    try {
      const verdict = await answer(
        stream,
        async (request, send) => {
          this.#o.arrived?.(request, peer);
          const work = async (): Promise<Verdict<Reply>> => {
            const verdict = await reply(request, peer);
            if (verdict.kind === "accept") await send(verdict.value);
            return verdict;
          };
          const queued = (): Promise<Verdict<Reply> | undefined> =>
            this.#answeringAll.run({ work, full: undefined, signal });
          const done = await this.#answeringPeer.run(peer, { work: queued, full: undefined, signal });
          if (done !== undefined) return done;
          await send(busy);
          return accept(busy);
        },
        { bytesMax: requestBytesMax, idleMs: ANSWER_IDLE_MS, clock: this.#deps.clock, signal },
      );
      if (verdict.kind !== "reject") return;
      standing.fault(peer, "request");
      log.debug("request rejected", { protocol, peer, code: verdict.code, detail: verdict.detail });
    } catch (error) {
      // A connection that breaks is everyday; a source of ours that fails shows here too.
      stream.abort(new Error(messageOf(error)));
      if (error instanceof StalledError && connection.status === "open") {
        // Its line is dead, or it is playing for time: it may come back on a new connection, a few times. Where the line is dead all
        // its streams stand still at once; that is one fault, or every honest peer on a machine that halts for a while is banned.
        standing.fault(peer, "stall");
        connection.abort(error);
      }
      log.debug("request not answered", { protocol, peer, error: messageOf(error) });
    }
  }
}

/**
 * `/starling/1/presence`: what a node says of the run that it works on. Request: 32 bytes of the asker's choosing, which the
 * record repeats under its signature: so it is of now, and no clocks are compared. Reply: a record, or an empty frame when
 * there is nothing to tell. What is in a record is the asker's to judge.
 */
import { randomBytes } from "node:crypto";
import { type PeerId, type Service, type Verdict, accept, reject } from "../core/index.ts";
import { Exchange, type ExchangeDeps } from "./exchange.ts";
import { PRESENCE_PROTOCOL } from "./names.ts";

/** A record has about 250 bytes. */
export const PRESENCE_BYTES_MAX: number = 1024;
const NONCE_BYTES = 32;
const NOTHING = new Uint8Array(0);
/** Guesses: the answer is at hand, and nobody needs it twice. */
const PER_PEER_MAX = 1;
const ANSWERED_MAX = 16;
const WAITING_MAX = 64;

export interface PresenceDeps extends ExchangeDeps {
  /** This node's record for an asker's bytes; undefined: none. */
  source: (nonce: Uint8Array) => Promise<Uint8Array | undefined>;
}

export class PresenceProtocol implements Service {
  readonly name = "presence";
  readonly #exchange: Exchange;
  readonly #deps: PresenceDeps;

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
    this.#exchange = new Exchange(deps, {
      protocol: PRESENCE_PROTOCOL,
      requestBytesMax: NONCE_BYTES,
      replyBytesMax: PRESENCE_BYTES_MAX,
      perPeerMax: PER_PEER_MAX,
      answeredMax: ANSWERED_MAX,
      waitingMax: WAITING_MAX,
      busy: NOTHING,
      reply: async (nonce) =>
        nonce.length === NONCE_BYTES
          ? accept((await deps.source(nonce)) ?? NOTHING)
          : reject("PRESENCE_REQUEST", `expected ${NONCE_BYTES} bytes, got ${nonce.length}`),
    });
  }

  start(): Promise<void> {
    return this.#exchange.start();
  }

  stop(): Promise<void> {
    return this.#exchange.stop();
  }

  /** What a peer says, as `check` judges it; undefined: it has nothing to tell. What is rejected costs the peer. */
  async ask<T>(
    peer: PeerId,
    check: (record: Uint8Array, nonce: Uint8Array) => Promise<Verdict<T>>,
    o: { signal: AbortSignal },
  ): Promise<Verdict<T | undefined>> {
    const nonce = Uint8Array.from(randomBytes(NONCE_BYTES));
    const reply = await this.#exchange.ask(peer, nonce, o);
    if (reply.kind !== "accept") return reply;
    if (reply.value.length === 0) return accept(undefined);
    const verdict = await check(reply.value, nonce);
    if (verdict.kind === "reject") this.#deps.standing.fault(peer, "reply");
    return verdict;
  }
}

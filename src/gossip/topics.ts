/**
 * Publish and subscribe. Every topic of the run has a validator from the first moment: a message nobody here listens to is
 * dropped, neither kept nor forwarded. A handler's verdict decides the rest: accept is forwarded, ignore is not, and
 * reject costs the sender.
 */
import { type Message, TopicValidatorResult } from "@chainsafe/libp2p-gossipsub";
import type { PeerId as LibPeerId } from "@libp2p/interface";
import {
  type Clock,
  type Logger,
  type PeerId,
  type RunId,
  type Service,
  StarlingError,
  type Verdict,
  assert,
  messageOf,
} from "../core/index.ts";
import { plainBytes } from "./bytes.ts";
import type { PubSub } from "./host.ts";
import { topicsOf } from "./names.ts";
import { Rates } from "./rates.ts";
import type { Standing } from "./standing.ts";

/** A message is smaller. From: DESIGN section 7; rust-libp2p's default bound is the same. */
export const MESSAGE_BYTES_MAX: number = 64 * 1024;
/**
 * First-seen messages of one neighbour. A neighbour may forward everybody's: 64 contributors' headers and as many verdicts
 * in one second, twice over. Guess.
 */
const RATE_PER_SEC = 256;
const BURST_MAX = 1024;
/** Handlers still running, of all peers. Guess. */
const HANDLING_MAX = 1024;

export type TopicHandler = (bytes: Uint8Array, from: PeerId) => Verdict<unknown> | Promise<Verdict<unknown>>;

export interface TopicDeps {
  pubsub: PubSub;
  run: RunId;
  standing: Standing;
  clock: Clock;
  log: Logger;
}

export class Topics implements Service {
  readonly name = "topics";
  readonly #deps: TopicDeps;
  readonly #names: ReadonlySet<string>;
  readonly #handlers = new Map<string, TopicHandler>();
  readonly #rates: Rates;
  #handling = 0;
  #started = false;

  constructor(deps: TopicDeps) {
    this.#deps = deps;
    this.#rates = new Rates({ perSec: RATE_PER_SEC, burstMax: BURST_MAX, clock: deps.clock });
    this.#names = new Set(topicsOf(deps.run));
    for (const name of this.#names) {
      deps.pubsub.topicValidators.set(name, (peer, message) => this.#validate(name, peer, message));
    }
  }

  /** GossipSub can be subscribed to only once it runs. */
  async start(): Promise<void> {
    this.#started = true;
    for (const name of this.#handlers.keys()) this.#deps.pubsub.subscribe(name);
  }

  async stop(): Promise<void> {
    this.#started = false;
  }

  subscribe(name: string, handler: TopicHandler): void {
    this.#check(name);
    assert(!this.#handlers.has(name), `one handler per topic, ${name} has one`);
    this.#handlers.set(name, handler);
    if (this.#started) this.#deps.pubsub.subscribe(name);
  }

  leave(name: string): void {
    if (this.#handlers.delete(name) && this.#started) this.#deps.pubsub.unsubscribe(name);
  }

  /** How many peers it was sent to. The same bytes again within two minutes are sent to nobody. */
  async publish(name: string, bytes: Uint8Array): Promise<number> {
    this.#check(name);
    if (bytes.length >= MESSAGE_BYTES_MAX) {
      throw new StarlingError(
        "MESSAGE_TOO_LARGE",
        `expected a message below ${MESSAGE_BYTES_MAX} bytes, got ${bytes.length}; send its CID and serve it as a block`,
      );
    }
    const { recipients } = await this.#deps.pubsub.publish(name, bytes);
    return recipients.length;
  }

  #check(name: string): void {
    if (this.#names.has(name)) return;
    throw new StarlingError("TOPIC_UNKNOWN", `expected a topic of run ${this.#deps.run}, got ${name}`);
  }

  async #validate(name: string, peer: LibPeerId, message: Message): Promise<TopicValidatorResult> {
    const from = peer.toString() as PeerId;
    const { standing, log } = this.#deps;
    if (message.data.length >= MESSAGE_BYTES_MAX) {
      standing.fault(from, "message");
      return TopicValidatorResult.Reject;
    }
    if (!this.#rates.take(from)) {
      standing.fault(from, "rate");
      return TopicValidatorResult.Ignore;
    }
    const handler = this.#handlers.get(name);
    if (handler === undefined || this.#handling >= HANDLING_MAX) return TopicValidatorResult.Ignore;
    this.#handling += 1;
    try {
      const verdict = await handler(plainBytes(message.data), from);
      if (verdict.kind === "accept") {
        standing.merit(from);
        return TopicValidatorResult.Accept;
      }
      log.debug("message refused", { topic: name, from, kind: verdict.kind, code: verdict.code });
      if (verdict.kind === "ignore") return TopicValidatorResult.Ignore;
      standing.fault(from, "message");
      return TopicValidatorResult.Reject;
    } catch (error) {
      // Our own handler failed: no fault of the sender, and no reason for the network to stop.
      log.error("topic handler failed", { topic: name, from, error: messageOf(error) });
      return TopicValidatorResult.Ignore;
    } finally {
      this.#handling -= 1;
    }
  }
}

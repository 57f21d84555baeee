/**
 * Where runs that know nothing of each other are found: a hash table of its own that the nodes of all open runs share,
 * and one well-known key in it that some nodes of each run provide. Who looks for runs asks those nodes for their
 * presence (presence-protocol.ts). Nothing of a run depends on it.
 */
import type { PeerInfo, PeerStore } from "@libp2p/interface";
import { type KadDHT, kadDHT, passthroughMapper, removePrivateAddressesMapper } from "@libp2p/kad-dht";
import { type Ping, ping } from "@libp2p/ping";
import { CID } from "multiformats/cid";
import {
  type Clock,
  type Logger,
  type PeerId,
  RAW,
  SeededRandom,
  type Service,
  cidOf,
  digestOf,
  messageOf,
  pause,
  startAll,
  stopAll,
} from "../core/index.ts";
import type { Members } from "./members.ts";
import { RENDEZVOUS_DHT_PROTOCOL, RENDEZVOUS_NAME, RENDEZVOUS_PING_PREFIX } from "./names.ts";

/** Guesses: seconds matter for a run that has just begun; later only that new neighbours hear of it too. */
const FIRST_PAUSE_MS = 1_000;
const PAUSE_MAX_MS = 10 * 60_000;
/** One announcement; as in discovery.ts. */
const ANNOUNCE_MS_MAX = 60_000;
/**
 * Nodes of one run that provide the key, of those that are connected to each other: the list must not be as long as a large
 * run is, or nobody would find a small one in it. Guess: some of them live.
 */
const HERALDS_MAX = 8;

const KEY = CID.parse(cidOf(new TextEncoder().encode(RENDEZVOUS_NAME), RAW));

type KadComponents = Parameters<ReturnType<typeof kadDHT>>[0] & Parameters<ReturnType<typeof ping>>[0];

/** As libp2p starts and stops it. Not the library's object, whose routing and discovery libp2p would use for everything. */
export interface RendezvousDht {
  readonly dht: KadDHT;
  /** Here it starts: it learns only of peers that come later, and bootstrap peers are dialled as soon as libp2p starts. */
  beforeStart(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

/** `asksOnly`: takes no records of others. */
export function rendezvousDht(o: {
  localAddresses: boolean;
  asksOnly?: boolean;
}): (components: KadComponents) => RendezvousDht {
  const make = kadDHT({
    protocol: RENDEZVOUS_DHT_PROTOCOL,
    logPrefix: "libp2p:rendezvous",
    metricsPrefix: "libp2p_rendezvous",
    datastorePrefix: "/rendezvous",
    peerInfoMapper: o.localAddresses ? passthroughMapper : removePrivateAddressesMapper,
    ...(o.asksOnly === true ? { clientMode: true } : o.localAddresses ? { clientMode: false } : {}),
    initialQuerySelfInterval: 100,
    // An announcement to nobody ends at once, and the next comes soon; who asks waits for the first node to be known.
    allowQueryWithZeroPeers: o.asksOnly !== true,
  });
  return (components) => {
    // The table pings whom it takes in, and a run's own ping is for the run's peers alone.
    const pinging = ping({ protocolPrefix: RENDEZVOUS_PING_PREFIX })(components);
    const dht = make(withOwn(components, { ping: pinging, peerStore: untagging(components.peerStore) }));
    const services = [pinging, dht] as unknown as Service[];
    return {
      dht,
      beforeStart: () => startAll(services),
      start: () => undefined,
      stop: () => stopAll(services),
    };
  };
}

function withOwn(components: KadComponents, own: { ping: Ping; peerStore: PeerStore }): KadComponents {
  const descriptors = { ping: { value: own.ping }, peerStore: { value: own.peerStore } };
  return Object.create(components, descriptors) as KadComponents;
}

/**
 * The library tags its closest peers so that they stay connected. Here they are strangers, who are sent away and would be
 * dialled again for ever; a query dials whom it needs.
 */
function untagging(peerStore: PeerStore): PeerStore {
  return new Proxy(peerStore, {
    get: (target, name) => {
      if (name === "merge")
        return ((id, { tags: _tags, ...data }, options) =>
          target.merge(id, data, options)) as typeof peerStore.merge;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}

/** Who provides the key, each as often as it is named, until the search ends or the signal is aborted. Never throws. */
export async function* heraldsIn(
  dht: KadDHT,
  { signal, log }: { signal: AbortSignal; log: Logger },
): AsyncGenerator<PeerInfo> {
  try {
    for await (const event of dht.findProviders(KEY, { signal }))
      if (event.name === "PROVIDER") yield* event.providers;
  } catch (error) {
    // A search that ends early has still found what it has found.
    log.debug("search for runs ended early", { error: messageOf(error) });
  }
}

export interface RendezvousDeps {
  readonly self: PeerId;
  readonly dht: KadDHT;
  readonly members: Pick<Members, "list">;
  /** Whether there is something to tell. */
  hasPresence(): boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Announces that this node has a presence to ask for, as long as it has one and few of its run do. */
export class Rendezvous implements Service {
  readonly name = "rendezvous";
  readonly #deps: RendezvousDeps;
  readonly #random: SeededRandom;
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(deps: RendezvousDeps) {
    this.#deps = deps;
    this.#random = new SeededRandom(`rendezvous/${deps.self}`);
  }

  async start(): Promise<void> {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error("the swarm is stopping"));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    let pauseMs = FIRST_PAUSE_MS;
    while (await pause(this.#deps.clock, pauseMs * (0.5 + this.#random.unit()), signal)) {
      if (!this.#deps.hasPresence()) continue;
      if (isHerald(this.#deps.self, this.#deps.members.list())) await this.#announce();
      pauseMs = Math.min(2 * pauseMs, PAUSE_MAX_MS);
    }
  }

  async #announce(): Promise<void> {
    const { dht, log } = this.#deps;
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(ANNOUNCE_MS_MAX)]);
    try {
      for await (const event of dht.provide(KEY, { signal }))
        if (event.name === "QUERY_ERROR") log.debug("a peer did not take our presence");
    } catch (error) {
      // Common in a young network; the next one comes.
      log.debug("announcement of the run ended early", { error: messageOf(error) });
    }
  }
}

/** Whether we are among the first of our run's peers, in an order that nobody chooses. */
export function isHerald(self: PeerId, peers: readonly PeerId[]): boolean {
  const placeOf = (peer: PeerId): string => digestOf(new TextEncoder().encode(`${RENDEZVOUS_NAME}/${peer}`));
  const own = placeOf(self);
  return peers.filter((peer) => placeOf(peer) < own).length < HERALDS_MAX;
}

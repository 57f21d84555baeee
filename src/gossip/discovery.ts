/**
 * How strangers find each other knowing one address: every node provides the run's CID in the DHT and keeps looking for who
 * else does, quickly at first, ever more slowly while nothing new turns up, never in step with the others. A node that has
 * lost its neighbours dials the peers it remembers, the bootstrap list among them, which is only a hint: it may be
 * dead at the start or die later.
 */
import { setMaxListeners } from "node:events";
import type { Libp2p, PeerId as LibPeerId, PeerInfo } from "@libp2p/interface";
import type { KadDHT } from "@libp2p/kad-dht";
import {
  type Cid,
  type Clock,
  type Logger,
  type PeerId,
  type RunId,
  SeededRandom,
  type Service,
  assert,
  messageOf,
  parseCid,
  pause,
} from "../core/index.ts";
import type { Members } from "./members.ts";
import { versionIn } from "./names.ts";

/** Guesses: seconds matter when joining, minutes do not later; records live 48 hours anyway. */
const FIRST_PAUSE_MS = 500;
const PAUSE_MAX_MS = 60_000;
/** While we have no peer at all. */
const LONELY_PAUSE_MAX_MS = 5_000;
/** While we have fewer than `PEERS_MIN`: one that could not be dialled a moment ago may be half of the run. */
const FEW_PAUSE_MAX_MS = 15_000;
/** One search: what it finds is dialled at once, so what is slow in it delays nobody. Guess. */
const SEARCH_MS_MAX = 10_000;
/**
 * One announcement. Nobody hears of it before the DHT has tried every closer peer that it knows, with six seconds for each address
 * that does not answer, and of peers behind routers none does. With ten seconds two such nodes never heard of each other
 * (docs/log.md). Guess: ten such addresses.
 */
const ANNOUNCE_MS_MAX = 60_000;
/** No more is dialled by us; others may still dial us. Guess: GossipSub's mesh needs 12, holders the rest. */
const PEERS_WANTED = 64;
/** Below this, remembered peers are dialled too. Guess. */
const PEERS_MIN = 4;
/** Remembered peers dialled in one look. */
const REDIALS_MAX = 32;
/** Providers of one CID that are worth asking. */
const PROVIDERS_MAX = 16;

export interface DiscoveryDeps {
  libp2p: Libp2p;
  dht: KadDHT | undefined;
  members: Members;
  run: RunId;
  clock: Clock;
  log: Logger;
}

export class Discovery implements Service {
  readonly name = "discovery";
  readonly #deps: DiscoveryDeps;
  readonly #random: SeededRandom;
  readonly #stopped = new AbortController();
  readonly #dialling = new Set<Promise<boolean>>();
  #announcing: Promise<void> | undefined;
  #awake = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(deps: DiscoveryDeps) {
    this.#deps = deps;
    // Seeded with the peer id: nodes started together by one script must not look together.
    this.#random = new SeededRandom(deps.libp2p.peerId.toString());
    setMaxListeners(0, this.#stopped.signal);
    // Reachable elsewhere now, such as through a relay: say so soon.
    deps.libp2p.addEventListener("self:peer:update", () => this.#awake.abort());
    // What mDNS finds is in the peer store by now, but nobody dials it.
    deps.libp2p.addEventListener("peer:discovery", ({ detail }) => {
      const dialling = this.#dial(detail.id).finally(() => this.#dialling.delete(dialling));
      this.#dialling.add(dialling);
    });
  }

  async start(): Promise<void> {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error("the swarm is stopping"));
    await this.#running;
    await this.#announcing;
    await Promise.all(this.#dialling);
  }

  /** Peers that provide a CID, at most 16; empty without a DHT or when the signal is aborted first. */
  async providers(cid: Cid, signal: AbortSignal): Promise<PeerId[]> {
    const found: PeerId[] = [];
    try {
      for await (const { id } of this.#providers(cid, signal)) {
        const peer = id.toString() as PeerId;
        if (!found.includes(peer)) found.push(peer);
        if (found.length >= PROVIDERS_MAX) break;
      }
    } catch (error) {
      // A search that ends early has still found what it has found.
      this.#deps.log.debug("search for providers ended early", { cid, error: messageOf(error) });
    }
    return found;
  }

  /** Announces in the DHT that we hold what a CID names; the DHT repeats it while the node runs. */
  async provide(cid: Cid, signal: AbortSignal): Promise<void> {
    const { dht } = this.#deps;
    if (dht === undefined) return;
    const limited = AbortSignal.any([signal, AbortSignal.timeout(ANNOUNCE_MS_MAX)]);
    setMaxListeners(0, limited);
    for await (const event of dht.provide(linkOf(cid), { signal: limited })) {
      if (event.name === "QUERY_ERROR")
        this.#deps.log.debug("a peer did not take a provider record", { cid });
    }
  }

  async #run(): Promise<void> {
    const { members, clock } = this.#deps;
    const { signal } = this.#stopped;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      const news = await this.#look();
      pauseMs = news ? FIRST_PAUSE_MS : Math.min(2 * pauseMs, pauseMaxMs(members.list().length));
      // Between half and one and a half times the pause, or until we are stopped or woken.
      const early = AbortSignal.any([signal, this.#awake.signal]);
      await pause(clock, pauseMs * (0.5 + this.#random.unit()), early);
      if (this.#awake.signal.aborted) this.#awake = new AbortController();
    }
  }

  /** One look around; whether a new peer was connected. */
  async #look(): Promise<boolean> {
    const { libp2p, members } = this.#deps;
    const looks: Array<Promise<boolean>> = [];
    if (members.list().length < PEERS_MIN) looks.push(this.#redial());
    // The DHT needs a neighbour to start from.
    if (libp2p.getConnections().length > 0) {
      this.#announce();
      looks.push(this.#search());
    }
    return (await Promise.all(looks)).includes(true);
  }

  /** Beside everything else: nothing waits for it. */
  #announce(): void {
    const { run, log } = this.#deps;
    this.#announcing ??= this.provide(run, this.#stopped.signal)
      // The next one comes with a later look; a DHT without answers is common in a young network.
      .catch((error: unknown) => log.debug("announcement ended early", { error: messageOf(error) }))
      .finally(() => (this.#announcing = undefined));
  }

  async #search(): Promise<boolean> {
    const { libp2p, run, log } = this.#deps;
    const { signal } = this.#stopped;
    const dials: Array<Promise<boolean>> = [];
    try {
      for await (const { id, multiaddrs } of this.#providers(run, signal)) {
        if (libp2p.peerId.equals(id) || dials.length >= PEERS_WANTED) continue;
        await libp2p.peerStore.merge(id, { multiaddrs });
        dials.push(this.#dial(id));
      }
    } catch (error) {
      // What was found until then is dialled; the next look comes soon.
      log.debug("search ended early", { found: dials.length, error: messageOf(error) });
    }
    return (await Promise.all(dials)).includes(true);
  }

  async *#providers(cid: Cid, signal: AbortSignal): AsyncGenerator<PeerInfo> {
    const { dht } = this.#deps;
    if (dht === undefined) return;
    const limited = AbortSignal.any([signal, this.#stopped.signal, AbortSignal.timeout(SEARCH_MS_MAX)]);
    setMaxListeners(0, limited);
    for await (const event of dht.findProviders(linkOf(cid), { signal: limited })) {
      if (event.name === "PROVIDER") yield* event.providers;
    }
  }

  async #redial(): Promise<boolean> {
    const { libp2p, run } = this.#deps;
    const all = await libp2p.peerStore.all();
    // Of those that were met before, only peers of the run: nodes of other runs are known too (rendezvous.ts).
    const known = all.filter(
      ({ protocols }) =>
        protocols.length === 0 || protocols.some((each) => versionIn(each, run) !== undefined),
    );
    const start = this.#random.below(Math.max(1, known.length));
    const some = [...known.slice(start), ...known.slice(0, start)].slice(0, REDIALS_MAX);
    return (await Promise.all(some.map(({ id }) => this.#dial(id)))).includes(true);
  }

  /** Whether a connection was made that had not been there. */
  async #dial(id: LibPeerId): Promise<boolean> {
    const { libp2p, members, log } = this.#deps;
    const { signal } = this.#stopped;
    if (signal.aborted || members.list().length >= PEERS_WANTED) return false;
    if (libp2p.peerId.equals(id) || libp2p.getConnections(id).length > 0) return false;
    try {
      await libp2p.dial(id, { signal });
      return true;
    } catch (error) {
      // Addresses are hearsay: most failures mean that the peer has gone.
      log.debug("dial failed", { peer: id.toString(), error: messageOf(error) });
      return false;
    }
  }
}

function pauseMaxMs(peersCount: number): number {
  if (peersCount === 0) return LONELY_PAUSE_MAX_MS;
  return peersCount < PEERS_MIN ? FEW_PAUSE_MAX_MS : PAUSE_MAX_MS;
}

function linkOf(cid: Cid): NonNullable<ReturnType<typeof parseCid>> {
  const link = parseCid(cid);
  assert(link !== undefined, `a Cid is a CIDv1 with sha2-256, got ${cid}`);
  return link;
}

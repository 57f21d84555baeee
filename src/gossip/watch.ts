/**
 * Looks at all connections once a second and closes those that no honest peer would have: bytes that nobody asked for, more
 * connections than one peer needs, streams without end, strangers to the run that stay. When it gets crowded, those go
 * who have done nothing for us, from the address with most of them first, so that one machine with many keys cannot take
 * the seats of the others, and honest peers behind its address keep theirs.
 */
import type { Connection, Libp2p } from "@libp2p/interface";
import { type Clock, type Logger, type PeerId, type Service, pause } from "../core/index.ts";
import type { Members } from "./members.ts";
import { Rates } from "./rates.ts";
import type { Standing } from "./standing.ts";
import type { Traffic } from "./traffic.ts";

const INTERVAL_MS = 1000;
/**
 * Bytes of one peer beyond the replies that we asked it for. Gossip of 64 contributors is about 10 kB/s from one
 * neighbour in rounds of a minute (docs/threats.md), so 25 times that; at once, what may be in flight to us uncounted.
 */
const UNASKED_BYTES_PER_SEC = 256 * 1024;
const UNASKED_BYTES_BURST = 8 * 1024 * 1024;
/** Two peers that dial each other at the same moment have two; a relayed one may come on top. */
const CONNECTIONS_PER_PEER_MAX = 4;
/** All protocols together: 16 blocks, 16 syncs, 16 pings, 32 of the DHT, and the library's own. */
const STREAMS_MAX = 128;
/** A connection that has not shown to be of the run by then is of no use. Guess: identify takes one round trip. */
const STRANGER_MS_MAX = 8_000;

export interface WatchDeps {
  libp2p: Libp2p;
  members: Members;
  standing: Standing;
  traffic: Traffic;
  clock: Clock;
  log: Logger;
  /** Above it the useless are sent away. */
  connectionsMax: number;
}

export class Watch implements Service {
  readonly name = "watch";
  readonly #deps: WatchDeps;
  readonly #rates: Rates;
  readonly #stopped = new AbortController();
  readonly #countedBytes = new Map<PeerId, number>();
  readonly #firstSeenMs = new Map<string, number>();
  #running: Promise<void> = Promise.resolve();

  constructor(deps: WatchDeps) {
    this.#deps = deps;
    this.#rates = new Rates({
      perSec: UNASKED_BYTES_PER_SEC,
      burstMax: UNASKED_BYTES_BURST,
      clock: deps.clock,
    });
  }

  async start(): Promise<void> {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error("the swarm is stopping"));
    await this.#running;
  }

  async #run(): Promise<void> {
    while (await pause(this.#deps.clock, INTERVAL_MS, this.#stopped.signal)) this.#look();
  }

  #look(): void {
    const connections = this.#deps.libp2p.getConnections();
    this.#weighBytes(connections);
    this.#countConnections(connections);
    this.#sendStrangersAway(connections);
    this.#makeRoom(connections.filter(({ status }) => status === "open"));
  }

  #weighBytes(connections: readonly Connection[]): void {
    const { traffic, standing } = this.#deps;
    const unasked = traffic.unaskedBytes();
    for (const peer of this.#countedBytes.keys()) if (!unasked.has(peer)) this.#countedBytes.delete(peer);
    for (const [peer, bytes] of unasked) {
      const counted = this.#countedBytes.get(peer) ?? 0;
      this.#countedBytes.set(peer, bytes);
      const theirs = connections.filter(({ remotePeer }) => remotePeer.toString() === peer);
      // Who relays for us, or through us, sends what others asked for; the relay's own limits hold there.
      if (
        theirs.some(({ streams }) => streams.some(({ protocol }) => protocol.startsWith("/libp2p/circuit/")))
      )
        continue;
      if (this.#rates.take(peer, Math.max(0, bytes - counted))) continue;
      standing.fault(peer, "flood");
      this.#close(theirs, `${bytes - counted} bytes in a second that nobody asked for`);
    }
  }

  #countConnections(connections: readonly Connection[]): void {
    const { standing } = this.#deps;
    const counts = new Map<string, number>();
    for (const connection of connections) {
      const peer = connection.remotePeer.toString() as PeerId;
      const count = (counts.get(peer) ?? 0) + 1;
      counts.set(peer, count);
      if (count > CONNECTIONS_PER_PEER_MAX) {
        standing.fault(peer, "connection");
        this.#close([connection], `more than ${CONNECTIONS_PER_PEER_MAX} connections of one peer`);
      } else if (connection.streams.length > STREAMS_MAX) {
        standing.fault(peer, "flood");
        this.#close([connection], `more than ${STREAMS_MAX} streams`);
      }
    }
  }

  #sendStrangersAway(connections: readonly Connection[]): void {
    const { clock, members } = this.#deps;
    const nowMs = clock.nowMs();
    const here = new Set(connections.map(({ id }) => id));
    for (const id of this.#firstSeenMs.keys()) if (!here.has(id)) this.#firstSeenMs.delete(id);
    for (const connection of connections) {
      const since = this.#firstSeenMs.get(connection.id) ?? nowMs;
      this.#firstSeenMs.set(connection.id, since);
      if (nowMs - since < STRANGER_MS_MAX || members.has(connection.remotePeer.toString() as PeerId))
        continue;
      this.#close([connection], "no peer of this run");
    }
  }

  #makeRoom(connections: readonly Connection[]): void {
    const { standing, connectionsMax } = this.#deps;
    const surplus = connections.length - connectionsMax;
    if (surplus <= 0) return;
    const useless = connections.filter(
      ({ remotePeer, direction }) =>
        direction === "inbound" && !standing.isUseful(remotePeer.toString() as PeerId),
    );
    const perAddress = new Map<string, number>();
    const crowdOf = ({ remoteAddr }: Connection): number =>
      perAddress.get(hostOf(remoteAddr.toString())) ?? 0;
    for (const { remoteAddr } of useless) {
      const host = hostOf(remoteAddr.toString());
      perAddress.set(host, (perAddress.get(host) ?? 0) + 1);
    }
    const worst = useless.toSorted((a, b) => crowdOf(b) - crowdOf(a)).slice(0, surplus);
    this.#close(worst, "it is crowded, and nothing useful has come from it");
  }

  #close(connections: readonly Connection[], why: string): void {
    for (const connection of connections) {
      const peer = connection.remotePeer.toString();
      this.#deps.log.debug("connection closed", { peer, why });
      connection.abort(new Error(why));
    }
  }
}

/** `/ip4/192.0.2.7` of `/ip4/192.0.2.7/tcp/4001`. */
function hostOf(address: string): string {
  return address.split("/").slice(0, 3).join("/");
}

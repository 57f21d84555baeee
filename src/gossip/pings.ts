/**
 * Regular pings of every peer: how long the network takes to answer (so also whether our own event loop is blocked), and
 * whether a neighbour is still alive. Patient where libp2p's own monitor is not: a peer is let go after six failures in
 * a row, not one, and one that says nothing at all is sought on a new connection meanwhile (reunion.ts). A live connection whose gossip stream has died is let go too, since it is never opened again;
 * both come back by themselves when they are dialled anew.
 */
import { setMaxListeners } from "node:events";
import type { Libp2p, PeerId as LibPeerId } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import type { Ping } from "@libp2p/ping";
import { type Clock, type Logger, type PeerId, type Service, messageOf, pause } from "../core/index.ts";
import type { Members } from "./members.ts";
import { Reunion } from "./reunion.ts";

/** Guess: often enough for a p99 within minutes, 100 bytes each. */
const INTERVAL_MS = 5_000;
/** A ping that takes longer counts as this long, and as a failure. Guess. */
const TIMEOUT_MS = 10_000;
/** In a row, so a minute or more of silence. Guess: longer than any pause of a busy honest machine. */
const FAILURES_MAX = 6;
/** The last pings of all peers that the percentile is taken over. */
const WINDOW = 512;
const GOSSIP_PREFIX = "/meshsub/";

export interface PingDeps {
  libp2p: Libp2p;
  ping: Ping;
  members: Members;
  clock: Clock;
  log: Logger;
}

export class Pings implements Service {
  readonly name = "pings";
  readonly #deps: PingDeps;
  readonly #stopped = new AbortController();
  readonly #lastMs: number[] = [];
  readonly #lastOf = new Map<PeerId, number>();
  readonly #failures = new Map<PeerId, number>();
  readonly #checking = new Map<PeerId, Promise<void>>();
  readonly #reunion: Reunion;
  #running: Promise<void> = Promise.resolve();

  constructor(deps: PingDeps) {
    this.#deps = deps;
    const { signal } = this.#stopped;
    setMaxListeners(0, signal);
    const { libp2p, clock, log } = deps;
    this.#reunion = new Reunion({ libp2p, clock, log, signal });
  }

  async start(): Promise<void> {
    // A new peer is pinged at once; after that it takes its turn.
    this.#deps.members.onPeer((peer) => void this.#check(peer));
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error("the swarm is stopping"));
    await this.#running;
    await Promise.all([...this.#checking.values(), this.#reunion.idle()]);
  }

  /** The 99th percentile of the last pings, failed ones at their time limit; null before the first. */
  p99Ms(): number | null {
    if (this.#lastMs.length === 0) return null;
    const sorted = [...this.#lastMs].sort((a, b) => a - b);
    return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? null;
  }

  /** Of one peer's last ping; null before the first. */
  lastMs(peer: PeerId): number | null {
    return this.#lastOf.get(peer) ?? null;
  }

  async #run(): Promise<void> {
    const { members, clock } = this.#deps;
    do {
      const peers = members.list();
      for (const peer of this.#failures.keys()) if (!peers.includes(peer)) this.#failures.delete(peer);
      for (const peer of this.#lastOf.keys()) if (!peers.includes(peer)) this.#lastOf.delete(peer);
      await Promise.all(peers.map((peer) => this.#check(peer)));
    } while (await pause(clock, INTERVAL_MS, this.#stopped.signal));
  }

  /** One ping at a time for a peer: a second caller waits for the first one's. */
  #check(peer: PeerId): Promise<void> {
    const checking = this.#checking.get(peer) ?? this.#ping(peer).finally(() => this.#checking.delete(peer));
    this.#checking.set(peer, checking);
    return checking;
  }

  async #ping(peer: PeerId): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    const id = peerIdFromString(peer);
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      this.#note(peer, await this.#deps.ping.ping(id, { signal }));
      if (await this.#canGossip(id)) this.#failures.delete(peer);
      else await this.#fail(id, "no gossip stream");
    } catch (error) {
      if (this.#stopped.signal.aborted || this.#deps.libp2p.getConnections(id).length === 0) return;
      // A peer without our ping protocol (one in another language, say) has answered, just not with a time.
      if (error instanceof Error && error.name === "UnsupportedProtocolError") return;
      // A late or broken answer is what is measured here.
      this.#note(peer, TIMEOUT_MS);
      await this.#fail(id, messageOf(error));
      if (signal.aborted) this.#reunion.seek(peer, () => this.#isWell(peer));
    }
  }

  #isWell(peer: PeerId): boolean {
    return this.#deps.members.has(peer) && !this.#failures.has(peer);
  }

  /** Whether a stream carries our messages to the peer; one that does not speak GossipSub needs none. */
  async #canGossip(id: LibPeerId): Promise<boolean> {
    const { libp2p } = this.#deps;
    const { protocols } = await libp2p.peerStore.get(id);
    if (!protocols.some((protocol) => protocol.startsWith(GOSSIP_PREFIX))) return true;
    return libp2p
      .getConnections(id)
      .flatMap((connection) => connection.streams)
      .some((stream) => stream.direction === "outbound" && stream.protocol.startsWith(GOSSIP_PREFIX));
  }

  async #fail(id: LibPeerId, why: string): Promise<void> {
    const peer = id.toString() as PeerId;
    const failures = (this.#failures.get(peer) ?? 0) + 1;
    this.#failures.set(peer, failures);
    this.#deps.log.debug("ping failed", { peer, failures, why });
    if (failures < FAILURES_MAX) return;
    this.#failures.delete(peer);
    this.#deps.log.warn("peer let go", { peer, failures, why });
    for (const connection of this.#deps.libp2p.getConnections(id)) {
      connection.abort(new Error(`${failures} pings in a row failed: ${why}`));
    }
  }

  #note(peer: PeerId, ms: number): void {
    this.#lastOf.set(peer, ms);
    this.#lastMs.push(ms);
    if (this.#lastMs.length > WINDOW) this.#lastMs.shift();
  }
}

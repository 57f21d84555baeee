/**
 * The one thing this room makes: a node's place in the swarm. It wires the host, the topics, the two protocols and
 * discovery together, and starts and stops them in order. It does not know what the bytes mean.
 */
import type { PrivateKey } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import {
  type Cid,
  type Clock,
  type Logger,
  type PeerId,
  type Service,
  messageOf,
  startAll,
  stopAll,
} from "../core/index.ts";
import { type BlockSource, BlocksProtocol } from "./blocks-protocol.ts";
import { checkBootstrap } from "./bootstrap.ts";
import { Discovery } from "./discovery.ts";
import { Door } from "./door.ts";
import { CONNECTIONS_MAX, type Datastore, type HostMetrics, type HostOptions, createHost } from "./host.ts";
import { type PeerLink, linksOf } from "./links.ts";
import { type Lookout, createLookout } from "./lookout.ts";
import { Members } from "./members.ts";
import { Pings } from "./pings.ts";
import { PresenceProtocol } from "./presence-protocol.ts";
import type { PullOptions } from "./pull.ts";
import { isRelayed, wantsRelay } from "./reach.ts";
import { RelaySearch } from "./relay-search.ts";
import { Rendezvous } from "./rendezvous.ts";
import { Standing } from "./standing.ts";
import type { HeadersRequest, StateName, SyncReply } from "./sync-messages.ts";
import { type HeaderSource, SyncProtocol } from "./sync-protocol.ts";
import { type TopicHandler, Topics } from "./topics.ts";
import { Traffic } from "./traffic.ts";
import { Watch } from "./watch.ts";

export type SwarmOptions = Omit<HostOptions, "rendezvous">;

/** What a node of an open run tells strangers. */
export interface PresenceSource {
  /** Whether there is something to tell. */
  has(): boolean;
  /** A record that repeats the asker's bytes. */
  get(nonce: Uint8Array): Promise<Uint8Array | undefined>;
}

export interface SwarmDeps {
  privateKey: PrivateKey;
  /** With one, the peers that were met survive a restart. */
  datastore?: Datastore;
  /** libp2p's own counts, for operators. */
  metrics?: HostMetrics;
  blocks: BlockSource;
  headers: HeaderSource;
  /** Absent: nobody but the run's own peers shall hear of this node. */
  presence?: PresenceSource;
  log: Logger;
  clock: Clock;
}

export interface Swarm extends Service {
  readonly peerId: PeerId;
  /** Multiaddrs that others can dial; empty before the start. */
  addresses(): string[];
  /** Connected peers of our run, each once. */
  peers(): PeerId[];
  /** Whether every connection to the peer goes through somebody else's. */
  isRelayed(peer: PeerId): boolean;
  /** A closed run: nobody but these may connect from now on, and who is connected and not among them is sent away. */
  admitOnly(peers: readonly PeerId[]): void;
  /** How each of them is connected. */
  links(): PeerLink[];
  /** Called for each peer of the run that is connected and identified, again when it comes back, until what is returned is called. */
  onPeer(listener: (peer: PeerId) => void): () => void;
  /** Subscribes. Accept is forwarded, ignore is not, reject is not and costs the sender. Throws `TOPIC_UNKNOWN`. */
  topic(name: string, handler: TopicHandler): void;
  leave(name: string): void;
  /** How many peers it was sent to; 0 is no error. Throws `MESSAGE_TOO_LARGE` at 64 KiB and `TOPIC_UNKNOWN`. */
  publish(name: string, bytes: Uint8Array): Promise<number>;
  /**
   * One block, at most 1 MiB, that matches its CID: from the holders in order, then from whoever provides it in
   * the DHT. Throws `BLOCK_NOT_FOUND` when nobody had it before the signal was aborted.
   */
  fetchBlock(cid: Cid, holders: readonly PeerId[], o: { signal: AbortSignal }): Promise<Uint8Array>;
  /**
   * Many blocks from many holders at once, each handed to `take` as soon as it is here. Throws `BLOCK_NOT_FOUND` when
   * nobody is left to ask or nothing has come for long, and what `take` throws; what was taken stays taken.
   */
  fetchBlocks(o: PullOptions): Promise<void>;
  /** Announces in the DHT that we hold what a CID names (a manifest, a data set), so that `fetchBlock` finds us. */
  provide(cid: Cid, o: { signal: AbortSignal }): Promise<void>;
  /** Stored headers of one peer, at most 1 MiB. None and `more`: it is busy, ask again. Throws `SYNC_FAILED`. */
  requestHeaders(peer: PeerId, query: HeadersRequest, o: { signal: AbortSignal }): Promise<SyncReply>;
  /** The body that tells of a settled state; undefined: the peer does not hold it. Throws `SYNC_FAILED`. */
  requestState(peer: PeerId, name: StateName, o: { signal: AbortSignal }): Promise<Cid | undefined>;
  /** Bytes of all connections since the start, on the wire. */
  traffic(): { bytesIn: number; bytesOut: number };
  /** The 99th percentile of the last pings; null before the first. */
  pingP99Ms(): number | null;
  /** GossipSub's score of a peer, faults included; negative: it is not in our mesh. */
  score(peer: PeerId): number;
  /** The neighbours that a topic's messages are forwarded to. */
  mesh(topic: string): PeerId[];
  /** Sees the other runs; absent where nothing is told of this one. */
  readonly lookout?: Lookout;
}

/** A swarm that is not yet started. Throws `BOOTSTRAP_INVALID`. */
export async function createSwarm(options: SwarmOptions, deps: SwarmDeps): Promise<Swarm> {
  options.bootstrap.forEach(checkBootstrap);
  const { clock } = deps;
  const { run } = options;
  const log = deps.log.child("gossip");
  const traffic = new Traffic();
  const standing = new Standing({
    clock,
    onBan: (peer) => {
      log.warn("peer banned", { peer });
      sendAway("banned for its faults");
    },
  });
  const door = new Door({ standing, traffic });
  const sendAway = (why: string): void => {
    for (const connection of libp2p.getConnections())
      if (!door.admits(connection.remotePeer.toString() as PeerId)) connection.abort(new Error(why));
  };
  const { privateKey, datastore, metrics, presence } = deps;
  const host = await createHost(
    { ...options, rendezvous: presence !== undefined },
    {
      privateKey,
      standing,
      door,
      clock,
      onRelayError: (error) => log.warn("cannot relay for others", { error: messageOf(error) }),
      ...(datastore === undefined ? {} : { datastore }),
      ...(metrics === undefined ? {} : { metrics }),
    },
  );
  const { libp2p, pubsub, ping, identify, dht, rendezvous } = host;
  const members = new Members(libp2p, { run, log });
  const topics = new Topics({ pubsub, run, standing, clock, log });
  const discovery = new Discovery({ libp2p, dht, members, run, clock, log });
  const blocks = new BlocksProtocol({
    libp2p,
    standing,
    traffic,
    clock,
    log,
    source: deps.blocks,
    providers: (cid, signal) => discovery.providers(cid, signal),
  });
  const sync = new SyncProtocol({ libp2p, standing, traffic, clock, log, source: deps.headers });
  // A quarter of the seats stays free for newcomers.
  const connectionsMax = ((options.connectionsMax ?? CONNECTIONS_MAX) * 3) / 4;
  const watch = new Watch({ libp2p, members, standing, traffic, clock, log, connectionsMax });
  const pings = new Pings({ libp2p, ping, members, clock, log });
  // The host after the protocols: no peer may find the door open and nobody in.
  const services: Service[] = [blocks, sync, pings, watch, host, topics, discovery];
  let lookout: Lookout | undefined;
  if (presence !== undefined && rendezvous !== undefined) {
    const asked = new PresenceProtocol({
      libp2p,
      standing,
      traffic,
      clock,
      log,
      source: (nonce) => presence.get(nonce),
    });
    const self = libp2p.peerId.toString() as PeerId;
    const hasPresence = (): boolean => presence.has();
    services.unshift(asked);
    services.push(new Rendezvous({ self, dht: rendezvous, members, hasPresence, clock, log }));
    lookout = createLookout({ libp2p, dht: rendezvous, presence: asked, blocks, named: [], log });
  }
  if (wantsRelay(options)) services.push(new RelaySearch({ libp2p, identify, clock, log }));
  let stopping: Promise<void> | undefined;

  return {
    name: "swarm",
    peerId: libp2p.peerId.toString() as PeerId,
    start: () => startAll(services),
    // Once: a second stop would still write to a datastore that its owner has closed after the first.
    stop: () => (stopping ??= stopAll(services)),
    addresses: () => libp2p.getMultiaddrs().map(String),
    peers: () => members.list(),
    isRelayed: (peer) => {
      const connections = libp2p.getConnections(peerIdFromString(peer));
      return connections.length > 0 && connections.every(({ remoteAddr }) => isRelayed(remoteAddr));
    },
    admitOnly: (peers) => {
      door.admitOnly(peers);
      sendAway("this run is closed to you");
    },
    links: () => linksOf(libp2p, members, pings),
    onPeer: (listener) => members.onPeer(listener),
    topic: (name, handler) => topics.subscribe(name, handler),
    leave: (name) => topics.leave(name),
    publish: (name, bytes) => topics.publish(name, bytes),
    fetchBlock: (cid, holders, o) => blocks.fetch(cid, holders, o),
    fetchBlocks: (o) => blocks.fetchAll(o),
    provide: (cid, o) => discovery.provide(cid, o.signal),
    requestHeaders: (peer, query, o) => sync.request(peer, query, o),
    requestState: (peer, name, o) => sync.requestState(peer, name, o),
    traffic: () => traffic.total(),
    pingP99Ms: () => pings.p99Ms(),
    score: (peer) => pubsub.getScore(peer),
    mesh: (topic) => pubsub.getMeshPeers(topic) as PeerId[],
    ...(lookout && { lookout }),
  };
}

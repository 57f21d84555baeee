/**
 * The libp2p node: which transports, which services, which limits. Everything that differs from the libraries'
 * defaults says why; most of it was found by something breaking.
 */
import { type GossipSub, StrictNoSign, gossipsub } from "@chainsafe/libp2p-gossipsub";
import { noise } from "@chainsafe/libp2p-noise";
import { bootstrap } from "@libp2p/bootstrap";
import { type Identify, identify } from "@libp2p/identify";
import type { ComponentLogger, Libp2p, Metrics, PrivateKey } from "@libp2p/interface";
import { type KadDHT, kadDHT, passthroughMapper, removePrivateAddressesMapper } from "@libp2p/kad-dht";
import { mdns } from "@libp2p/mdns";
import { type Ping, ping } from "@libp2p/ping";
import { preSharedKey } from "@libp2p/pnet";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { circuitRelayTransport } from "@libp2p/circuit-relay-v2";
import { type Libp2pOptions, createLibp2p } from "libp2p";
import { type Clock, type RunId, type Service, StarlingError, messageOf, sha256 } from "../core/index.ts";
import type { Door } from "./door.ts";
import { dhtProtocol, mdnsTag, pingPrefix, topicsOf } from "./names.ts";
import { type RendezvousDht, rendezvousDht } from "./rendezvous.ts";
import { RELAY_TRANSPORT, Reach, type ReachOptions, listenOn } from "./reach.ts";
import { guardRpcs } from "./rpc-guard.ts";
import { SCORE_THRESHOLDS, scoreParams } from "./scoring.ts";
import type { Standing } from "./standing.ts";

/** Where libp2p keeps the peers it has met, so that they survive a restart. */
export type Datastore = NonNullable<Libp2pOptions["datastore"]>;

export interface HostOptions extends ReachOptions {
  run: RunId;
  /** Multiaddrs such as `/ip4/0.0.0.0/tcp/4001`; port 0: any free one. */
  listen: readonly string[];
  /** Multiaddrs with `/p2p/<peer id>`; hints, any of which may be dead. */
  bootstrap: readonly string[];
  /** Without it only bootstrap, mDNS and remembered peers are dialled. */
  dht: boolean;
  /** Take part in the hash table that all open runs share (rendezvous.ts). Default: no. */
  rendezvous?: boolean;
  /** Find peers of the run on the same LAN. */
  mdns: boolean;
  /** Above three quarters of it the useless are sent away. */
  connectionsMax?: number;
  /** Only who holds the same one gets as far as a handshake. A file's text: `/key/swarm/psk/1.0.0/` and so on. */
  networkKey?: Uint8Array;
}

/** What makes libp2p count; without it nothing is counted. */
export type HostMetrics = (components: { logger: ComponentLogger }) => Metrics;

export interface HostDeps {
  privateKey: PrivateKey;
  datastore?: Datastore;
  metrics?: HostMetrics;
  standing: Standing;
  door: Door;
  clock: Clock;
  /** A relay that cannot be opened is no reason to stop. */
  onRelayError: (error: unknown) => void;
}

/** GossipSub's public interface, and the two readings that its class has beside it. */
export interface PubSub extends GossipSub {
  getScore(peer: string): number;
  getMeshPeers(topic: string): string[];
}

export interface Host extends Service {
  libp2p: Libp2p;
  pubsub: PubSub;
  ping: Ping;
  identify: Identify;
  dht: KadDHT | undefined;
  rendezvous: KadDHT | undefined;
}

/** A week: peers of a run that paused for a weekend are still found. The library forgets after one and six hours. Guess. */
const PEER_AGE_MAX_MS = 7 * 24 * 3600_000;
/** Nothing of ours needs more; the least useful are pruned above it. Guess: 64 contributors, twice over. */
export const CONNECTIONS_MAX = 256;
/** Per address and second. The default of 5 resets a testnet or a lab behind one address (measured). */
const INBOUND_PER_SEC = 100;
const PENDING_INBOUND_MAX = 64;
/** Guess: three round trips of the slowest line. */
const HANDSHAKE_MS_MAX = 8_000;
/** What one RPC may hold: the sender's own hard limit. Messages in it are bounded in topics.ts. */
const RPC_BYTES_MAX = 4 * 1024 * 1024;
/** Unsent bytes to one slow neighbour before its stream is given up. From: Lodestar's setting. */
const OUTBOUND_BYTES_MAX = 16 * 1024 * 1024;
/** Twice the topics of a run at about 1.2 KiB each. */
const TOPIC_BYTES_PER_PEER_MAX = 512 * 1024;
/** The DHT's own contact checks and our pings share the protocol; the default is 1 out and 2 in. */
const PING_STREAMS_MAX = 16;

interface Services extends Record<string, unknown> {
  ping: Ping;
  identify: Identify;
  pubsub: GossipSub;
  dht?: KadDHT;
  rendezvous?: RendezvousDht;
}

/** The host, not yet started. */
export async function createHost(options: HostOptions, deps: HostDeps): Promise<Host> {
  const topics = topicsOf(options.run);
  const discovery = [
    ...(options.bootstrap.length > 0 ? [bootstrap({ list: [...options.bootstrap], timeout: 0 })] : []),
    ...(options.mdns ? [mdns({ serviceTag: mdnsTag(options.run) })] : []),
  ];
  const reach = new Reach(options);
  const services = {
    ...reach.services,
    // Says which protocols we speak; without it no peer is known to be of the run.
    identify: identify(),
    ping: ping({
      protocolPrefix: pingPrefix(options.run),
      maxInboundStreams: PING_STREAMS_MAX,
      maxOutboundStreams: PING_STREAMS_MAX,
    }),
    pubsub: guarded(
      gossipsub({
        // Headers and verdicts carry their author's signature; a second one per message buys nothing, and content ids
        // let the same header, sent twice, count once.
        globalSignaturePolicy: StrictNoSign,
        msgIdFn: ({ topic, data }) => messageId(topic, data),
        allowedTopics: topics,
        maxTopicBytesPerPeer: TOPIC_BYTES_PER_PEER_MAX,
        maxInboundDataLength: RPC_BYTES_MAX,
        maxOutboundBufferSize: OUTBOUND_BYTES_MAX,
        floodPublish: true,
        // Without it a floodsub peer would get everything, whatever its score.
        fallbackToFloodsub: false,
        // A node that is alone, or sends the same bytes again after a restart, has done nothing wrong.
        allowPublishToZeroTopicPeers: true,
        ignoreDuplicatePublishError: true,
        // Messages are small: they may go through a relay.
        runOnLimitedConnection: true,
        scoreParams: scoreParams(topics, (peer) => deps.standing.points(peer)),
        scoreThresholds: SCORE_THRESHOLDS,
      }),
      deps,
    ),
  };
  // On loopback and in a LAN both settings are needed: each alone leaves every routing table empty (measured).
  const dht = kadDHT({
    protocol: dhtProtocol(options.run),
    peerInfoMapper: options.localAddresses ? passthroughMapper : removePrivateAddressesMapper,
    ...(options.localAddresses ? { clientMode: false } : {}),
    // Only delays the first search; it waits for a neighbour anyway. The default is a second.
    initialQuerySelfInterval: 100,
  });
  const libp2p = await createLibp2p<Services>({
    start: false,
    privateKey: deps.privateKey,
    ...(deps.datastore === undefined ? {} : { datastore: deps.datastore }),
    ...(deps.metrics === undefined ? {} : { metrics: deps.metrics }),
    addresses: { listen: listenOn(options), announce: [...(options.announce ?? [])] },
    // The second to dial those, and be dialled, whom only a third can reach.
    transports: [tcp(), circuitRelayTransport(RELAY_TRANSPORT)],
    ...(options.networkKey === undefined
      ? {}
      : { connectionProtector: preSharedKey({ psk: options.networkKey }) }),
    connectionEncrypters: [noise()],
    // Windows stay at their defaults: they are not negotiated, and a difference kills the connection (measured).
    streamMuxers: [yamux()],
    peerDiscovery: discovery,
    connectionGater: deps.door.gater(),
    connectionManager: {
      maxConnections: options.connectionsMax ?? CONNECTIONS_MAX,
      inboundConnectionThreshold: INBOUND_PER_SEC,
      maxIncomingPendingConnections: PENDING_INBOUND_MAX,
      // Who opens connections or streams and says nothing holds them for so long.
      inboundUpgradeTimeout: HANDSHAKE_MS_MAX,
      inboundStreamProtocolNegotiationTimeout: HANDSHAKE_MS_MAX,
    },
    // It drops a peer on its first slow ping, which a busy machine often has; pings.ts is patient.
    connectionMonitor: { enabled: false },
    peerStore: { maxAddressAge: PEER_AGE_MAX_MS, maxPeerAge: PEER_AGE_MAX_MS },
    services: {
      ...services,
      ...(options.dht && { dht }),
      ...(options.rendezvous === true && { rendezvous: rendezvousDht(options) }),
    },
  });
  return {
    name: "host",
    start: async () => {
      try {
        await libp2p.start();
        await reach.open(libp2p, deps.onRelayError);
      } catch (error) {
        await libp2p.stop();
        const where = options.listen.join(", ");
        const message = `expected to listen on ${where}, got: ${reasonOf(error)}; choose another port, or stop what uses it`;
        throw new StarlingError("LISTEN_FAILED", message, { cause: error });
      }
    },
    stop: async () => {
      await reach.close();
      await libp2p.stop();
    },
    libp2p,
    pubsub: libp2p.services.pubsub as PubSub,
    ping: libp2p.services.ping,
    identify: libp2p.services.identify,
    dht: libp2p.services.dht,
    rendezvous: libp2p.services.rendezvous?.dht,
  };
}

/** The same service behind the guard of its RPCs. */
function guarded(make: ReturnType<typeof gossipsub>, deps: HostDeps): ReturnType<typeof gossipsub> {
  return (components) => guardRpcs(make(components), deps);
}

/** The system's own words, such as `listen EADDRINUSE: address already in use …`, out of libp2p's many lines. */
function reasonOf(error: unknown): string {
  const message = messageOf(error);
  return /listen E[A-Z]+: [^\n]*/.exec(message)?.[0] ?? message.split("\n")[0] ?? "";
}

/** sha256(length of topic | topic | data)[:20]: the same bytes on two topics are two messages. */
export function messageId(topic: string, data: Uint8Array): Uint8Array {
  const name = Buffer.from(topic);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(name.length);
  return sha256(Buffer.concat([length, name, data])).subarray(0, 20);
}

/** Real swarms over TCP on loopback, and the events that tests wait for. */
import { type GossipSub, StrictNoSign, gossipsub } from "@chainsafe/libp2p-gossipsub";
import { noise } from "@chainsafe/libp2p-noise";
import { generateKeyPair } from "@libp2p/crypto/keys";
import { identify } from "@libp2p/identify";
import type { Libp2p, PrivateKey } from "@libp2p/interface";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { afterEach, expect } from "vitest";
import {
  type Clock,
  type Logger,
  type PeerId,
  RAW,
  type RunId,
  SeededRandom,
  type Service,
  accept,
  cidOf,
  silentLog,
  systemClock,
} from "../../../src/core/index.ts";
import {
  type BlockSource,
  type Datastore,
  type HeaderSource,
  type Swarm,
  type TopicHandler,
  createSwarm,
} from "../../../src/gossip/index.ts";

/** No event of these tests takes longer unless something is wrong. */
export const DEADLINE_MS = 15_000;
const PROTOCOL_VERSION = 1;
export const RUN: RunId = runOf("a run");

const running: Service[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.stop()));
});

export function runOf(name: string): RunId {
  return cidOf(new TextEncoder().encode(name), RAW) as RunId;
}

export interface NodeOptions {
  run?: RunId;
  listen?: readonly string[];
  bootstrap?: readonly string[];
  dht?: boolean;
  privateKey?: PrivateKey;
  datastore?: Datastore;
  clock?: Clock;
  connectionsMax?: number;
  viaRelay?: boolean;
  /** What can be got is there, unless told otherwise. */
  blocks?: Pick<BlockSource, "get"> & Partial<BlockSource>;
  headers?: HeaderSource;
  /** Told each warning. */
  onWarning?: (message: string) => void;
}

function logFor({ onWarning: warn }: NodeOptions): Logger {
  const log: Logger = { ...silentLog, ...(warn === undefined ? {} : { warn }), child: () => log };
  return log;
}

/** A node on a free port of loopback; not started, and stopped after the test. */
export async function node(o: NodeOptions = {}): Promise<Swarm> {
  const get = o.blocks?.get ?? (async () => undefined);
  const swarm = await createSwarm(
    {
      run: o.run ?? RUN,
      listen: o.listen ?? ["/ip4/127.0.0.1/tcp/0"],
      bootstrap: o.bootstrap ?? [],
      dht: o.dht ?? false,
      mdns: false,
      localAddresses: true,
      ...(o.connectionsMax === undefined ? {} : { connectionsMax: o.connectionsMax }),
      ...(o.viaRelay === undefined ? {} : { viaRelay: o.viaRelay }),
    },
    {
      privateKey: o.privateKey ?? (await generateKeyPair("Ed25519")),
      ...(o.datastore === undefined ? {} : { datastore: o.datastore }),
      blocks: { get, has: async (cid) => (await get(cid)) !== undefined, ...o.blocks },
      headers: o.headers ?? {
        since: async () => ({ headers: [], more: false }),
        byIds: async () => [],
        state: () => undefined,
      },
      log: logFor(o),
      clock: o.clock ?? systemClock,
    },
  );
  running.push(swarm);
  return swarm;
}

export async function startedNode(o: NodeOptions = {}): Promise<Swarm> {
  const swarm = await node(o);
  await swarm.start();
  return swarm;
}

/** Resolves when all of `others` are connected and identified. */
export function connected(swarm: Swarm, others: readonly Swarm[]): Promise<void> {
  const missing = new Set(others.map((other) => other.peerId));
  return within(`peers of ${swarm.peerId}`, (resolve) => {
    const note = (peer: PeerId): void => {
      missing.delete(peer);
      if (missing.size === 0) resolve();
    };
    swarm.onPeer(note);
    swarm.peers().forEach(note);
  });
}

/** Starts two nodes, without a DHT, the second knowing the first. */
export async function pair(first: NodeOptions = {}, second: NodeOptions = {}): Promise<[Swarm, Swarm]> {
  const a = await startedNode(first);
  const b = await startedNode({ ...second, bootstrap: a.addresses() });
  await Promise.all([connected(a, [b]), connected(b, [a])]);
  return [a, b];
}

/** Subscribes and collects: `next` resolves with the next message that has not been taken yet. */
export class Inbox {
  readonly #arrived: Array<{ text: string; from: PeerId }> = [];
  #waiting: (() => void) | undefined;

  constructor(swarm: Swarm, topic: string, verdict: TopicHandler = () => accept(undefined)) {
    swarm.topic(topic, (bytes, from) => {
      this.#arrived.push({ text: new TextDecoder().decode(bytes), from });
      this.#waiting?.();
      return verdict(bytes, from);
    });
  }

  get size(): number {
    return this.#arrived.length;
  }

  async next(): Promise<{ text: string; from: PeerId }> {
    await within("message", (resolve) => {
      this.#waiting = resolve;
      if (this.#arrived.length > 0) resolve();
    });
    const message = this.#arrived.shift();
    if (message === undefined) throw new Error("woken without a message");
    return message;
  }
}

export function text(message: string): Uint8Array {
  return new TextEncoder().encode(message);
}

export function randomBytes(seed: string, length: number): Uint8Array {
  const random = new SeededRandom(seed);
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () => random.u32());
  return new Uint8Array(words.buffer, 0, length);
}

export type Stranger = Libp2p<{ pubsub: GossipSub }>;

/**
 * A libp2p host that keeps none of our rules, connected to a node which takes it for a peer of the run. `prepare` runs
 * before they meet.
 */
export async function stranger(
  to: Swarm,
  prepare: (libp2p: Stranger) => Promise<void> = async () => undefined,
  /** Of the protocol; with another than ours it is dialled to, and not taken for a peer. */
  version: number = PROTOCOL_VERSION,
): Promise<Stranger> {
  const libp2p = await createLibp2p({
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: {
      identify: identify(),
      pubsub: gossipsub({ globalSignaturePolicy: StrictNoSign, allowPublishToZeroTopicPeers: true }),
    },
  });
  running.push({ name: "stranger", start: async () => undefined, stop: async () => libp2p.stop() });
  await libp2p.handle(`/starling/${version}/${RUN}/stranger`, (stream) =>
    stream.abort(new Error("not spoken")),
  );
  await prepare(libp2p);
  const id = libp2p.peerId.toString() as PeerId;
  const isPeer = version === PROTOCOL_VERSION;
  const met = within("the stranger", (resolve) => {
    to.onPeer((peer) => (peer === id ? resolve() : undefined));
    if (!isPeer) resolve();
  });
  await libp2p.dial(to.addresses().map((address) => multiaddr(address)));
  await met;
  return libp2p;
}

/** A promise with the tests' deadline, which says what it waited for. */
export function within(what: string, executor: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    signal.addEventListener("abort", () => reject(new Error(`waited ${DEADLINE_MS} ms for: ${what}`)));
    executor(resolve);
  });
}

/** For states that no event announces, such as GossipSub's mesh: looks again and again until the deadline. */
export function eventually<T>(look: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(look, { timeout: DEADLINE_MS, interval: 20 });
}

/**
 * What a hostile peer does, each in a few lines, with a real libp2p host of its own: for the tests, which wait until it
 * is cut off, and for the bench, which weighs what it cost (docs/threats.md). An attack goes on until its signal.
 */
import { randomBytes } from "node:crypto";
import { type Socket, connect } from "node:net";
import { type GossipSub, StrictNoSign, gossipsub } from "@chainsafe/libp2p-gossipsub";
import { noise } from "@chainsafe/libp2p-noise";
import { identify } from "@libp2p/identify";
import type { Connection, Libp2p, Stream, StreamMuxer } from "@libp2p/interface";
import { lpStream } from "@libp2p/utils";
import { peerIdFromString } from "@libp2p/peer-id";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { encode } from "it-length-prefixed";
import { createLibp2p } from "libp2p";
import {
  type Cid,
  type PeerId,
  RAW,
  type RunId,
  cidOf,
  parseCid,
  systemClock,
} from "../../src/core/index.ts";
import { contributionsTopic } from "../../src/gossip/index.ts";

export const BLOCKS = "/starling/1/blocks";
const HAVE = "/starling/1/have";
const SYNC = "/starling/1/sync";
/** As the two protocols write them. */
const [HELD, FOUND, CID_BYTES] = [1, 0, 36];
const CHUNK_BYTES = 65536;

export interface Prey {
  readonly run: RunId;
  readonly peerId: PeerId;
  readonly addresses: readonly string[];
  /** One that it holds, of 1 MiB. */
  readonly block: Cid;
  /** Headers that it would take for good ones, if it had their parents: the n-th of any number. */
  header(n: number): Promise<Uint8Array>;
  /** One that it takes for good, of its present round and of a new author, which names a body that nobody has. */
  fresh(attacker: Attacker): Promise<Uint8Array>;
}

export type Attack = (attacker: Attacker, signal: AbortSignal) => Promise<void>;

export class Attacker implements AsyncDisposable {
  readonly libp2p: Libp2p<{ pubsub: GossipSub }>;
  readonly prey: Prey;
  readonly topic: string;

  private constructor(libp2p: Libp2p<{ pubsub: GossipSub }>, prey: Prey) {
    this.libp2p = libp2p;
    this.prey = prey;
    this.topic = contributionsTopic(prey.run, 0);
  }

  /** Connected, and taken for a peer of the run. */
  static async create(prey: Prey): Promise<Attacker> {
    const libp2p = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionMonitor: { enabled: false },
      services: {
        identify: identify(),
        pubsub: gossipsub({ globalSignaturePolicy: StrictNoSign, allowPublishToZeroTopicPeers: true }),
      },
    });
    await libp2p.handle(`/starling/1/${prey.run}/stranger`, (stream) =>
      stream.abort(new Error("not spoken")),
    );
    const attacker = new Attacker(libp2p, prey);
    const canPublish = new Promise<void>((resolve) =>
      libp2p.services.pubsub.addEventListener("subscription-change", () => resolve()),
    );
    await attacker.connect();
    await canPublish;
    return attacker;
  }

  connect(): Promise<Connection> {
    return this.libp2p.dial(this.prey.addresses.map((address) => multiaddr(address)));
  }

  open(protocol: string): Promise<Stream> {
    return this.libp2p.dialProtocol(peerIdFromString(this.prey.peerId), protocol, {
      maxOutboundStreams: 1000,
    });
  }

  /** Answers every request of a protocol. */
  async serve(protocol: string, reply: (request: Uint8Array) => Uint8Array): Promise<void> {
    await this.libp2p.handle(protocol, async (stream) => {
      try {
        const lengthPrefixed = lpStream(stream);
        await lengthPrefixed.write(reply((await lengthPrefixed.read()).subarray()));
        await stream.close();
      } catch {
        // Cut off in the middle: an attacker does not mind.
      }
    });
  }

  /** A gossip message as it is, past all that the library would hold back, such as one sent before. */
  sendRaw(data: Uint8Array, topic: string = this.topic): void {
    const { pubsub } = this.libp2p.services;
    (pubsub as unknown as { sendRpc(id: string, rpc: object): boolean }).sendRpc(this.prey.peerId, {
      subscriptions: [],
      messages: [{ topic, data }],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.libp2p.stop();
  }
}

export const attacks: Readonly<Record<string, Attack>> = {
  "oversize frames": (attacker, signal) =>
    again(signal, async () => {
      const stream = await attacker.open(BLOCKS);
      // A length of 256 MiB, then as many zeros as it takes.
      await flood(stream, Buffer.from([0x80, 0x80, 0x80, 0x80, 0x01]), signal);
    }),

  "slow loris": (attacker, signal) =>
    again(signal, async () => {
      const streams = await Promise.all(
        Array.from({ length: 16 }, (_, n) => attacker.open(n % 2 === 0 ? BLOCKS : SYNC)),
      );
      for (const byte of [36, 1, 0x55, 0x12, 0x20, ...randomBytes(30)]) {
        for (const stream of streams) stream.send(Uint8Array.of(byte));
        await systemClock.sleep(1000, signal);
      }
    }),

  "header flood": (attacker, signal) => {
    let n = 0;
    return again(signal, async () => {
      attacker.sendRaw(await attacker.prey.header(n++));
      if (n % 64 === 0) await systemClock.sleep(1, signal);
    });
  },

  "requests for unknown blocks": (attacker, signal) =>
    everyWorker(16, () =>
      again(signal, async () => {
        const stream = await attacker.open(BLOCKS);
        stream.send(encode.single(parseCid(cidOf(randomBytes(32), RAW))?.bytes ?? new Uint8Array(36)));
        await answered(stream);
        stream.abort(new Error("on to the next"));
      }),
    ),

  "replies that nobody reads": async (attacker, signal) => {
    const request = encode.single(parseCid(attacker.prey.block)?.bytes ?? new Uint8Array(36));
    const streams = await Promise.all(Array.from({ length: 16 }, () => attacker.open(BLOCKS)));
    for (const stream of streams) stream.send(request);
    // The library would go on reading whatever a stream does: so nothing is read from the wire.
    for (const connection of attacker.libp2p.getConnections()) socketOf(connection).pause();
    await signalled(signal);
  },

  "thousands of topics": (attacker, signal) => {
    let n = 0;
    return again(signal, async () => {
      for (const last = n + 500; n < last; n++) attacker.libp2p.services.pubsub.subscribe(`/junk/${n}`);
      await systemClock.sleep(20, signal);
    });
  },

  "replayed headers": async (attacker, signal) => {
    const header = await attacker.prey.header(0);
    return again(signal, async () => {
      for (let n = 0; n < 64; n++) attacker.sendRaw(header);
      await systemClock.sleep(1, signal);
    });
  },

  "invalid signatures": (attacker, signal) => {
    let n = 0;
    return again(signal, async () => {
      const header = Uint8Array.from(await attacker.prey.header(n++));
      header[header.length - 1] = (header.at(-1) ?? 0) ^ 1;
      attacker.sendRaw(header);
      await systemClock.sleep(10, signal);
    });
  },

  "wrong bytes for a hash": async (attacker, signal) => {
    // It has everything, it says, and its authors have made something; and whatever is asked for, it sends something else.
    await attacker.serve(HAVE, (request) => new Uint8Array((request.length - 1) / CID_BYTES).fill(HELD));
    await attacker.serve(BLOCKS, () => Buffer.concat([Uint8Array.of(FOUND), randomBytes(4096)]));
    await again(signal, async () => {
      // First, or who was cut off would dial fifty times a second.
      await systemClock.sleep(1000, signal);
      attacker.sendRaw(await attacker.prey.fresh(attacker));
    });
  },

  "bytes that nobody asked for": async (attacker, signal) => {
    const junk = randomBytes(CHUNK_BYTES);
    return again(signal, async () => {
      for (let n = 0; n < 16; n++) attacker.sendRaw(junk, "/junk");
      await systemClock.sleep(50, signal);
    });
  },

  "streams without end": (attacker, signal) =>
    again(signal, async () => {
      // Opened, and never a word about what for.
      for (const connection of attacker.libp2p.getConnections())
        for (let n = 0; n < 50; n++) await muxerOf(connection).createStream();
      await systemClock.sleep(100, signal);
    }),

  // Some never say a word, others shake hands under the same key again and again. The silent leave places for the others:
  // one that took them all would keep itself out, too, and never be known by its key.
  "connections without end": async (attacker, signal) => {
    await Promise.all([
      again(signal, async () => {
        const silent = Array.from({ length: 32 }, () => connect(hostOf(attacker.prey.addresses)));
        for (const socket of silent) socket.on("error", () => undefined);
        await systemClock.sleep(5000, signal).finally(() => silent.forEach((socket) => socket.destroy()));
      }),
      again(signal, async () => {
        await attacker.libp2p.dial(
          attacker.prey.addresses.map((address) => multiaddr(address)),
          { force: true, signal },
        );
        await systemClock.sleep(20, signal);
      }),
    ]);
  },
};

function socketOf(connection: Connection): Socket {
  return (connection as unknown as { maConn: { socket: Socket } }).maConn.socket;
}

function muxerOf(connection: Connection): StreamMuxer {
  return (connection as unknown as { muxer: StreamMuxer }).muxer;
}

/** A TCP address of the prey, for raw sockets. */
function hostOf(addresses: readonly string[]): { host: string; port: number } {
  const [, host, port] =
    addresses.map((address) => /^\/ip4\/([\d.]+)\/tcp\/(\d+)/.exec(address)).find(Boolean) ?? [];
  return { host: host ?? "127.0.0.1", port: Number(port) };
}

/** Until the signal; what fails because we were cut off is tried again, a little later. */
async function again(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch {
      // Cut off, refused, or over: an attacker does not mind.
      await systemClock.sleep(20, signal).catch(() => undefined);
    }
  }
}

async function everyWorker(count: number, work: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, work));
}

/** `head`, then zeros for ever, as fast as they go. */
async function flood(stream: Stream, head: Uint8Array, signal: AbortSignal): Promise<void> {
  stream.send(head);
  const zeros = new Uint8Array(CHUNK_BYTES);
  while (!signal.aborted && stream.status === "open") {
    if (!stream.send(zeros)) await stream.onDrain({ signal });
    // On a quiet machine it drained at once, for ever, and no timer of this process came to its turn.
    await new Promise(setImmediate);
  }
}

/** One request as an honest peer makes it. */
export async function ask(attacker: Attacker, protocol: string, request: Uint8Array): Promise<Uint8Array> {
  const stream = await attacker.open(protocol);
  const lengthPrefixed = lpStream(stream);
  await lengthPrefixed.write(request);
  return (await lengthPrefixed.read()).subarray();
}

function answered(stream: Stream): Promise<void> {
  return new Promise((resolve) => {
    stream.addEventListener("message", () => resolve());
    stream.addEventListener("close", () => resolve());
    if (stream.status !== "open") resolve();
  });
}

function signalled(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/**
 * One process of bench/transfer.ts: some nodes' swarms with stores on disk, and a libp2p host without any of our protocols to
 * compare with. Told what to do by messages, answers with what it measured.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noise } from "@chainsafe/libp2p-noise";
import { generateKeyPair } from "@libp2p/crypto/keys";
import type { Libp2p, Stream } from "@libp2p/interface";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import {
  type Cid,
  type PeerId,
  RAW,
  type RunId,
  SeededRandom,
  StarlingError,
  cidOf,
  silentLog,
  systemClock,
} from "../src/core/index.ts";
import { type Swarm, createSwarm } from "../src/gossip/index.ts";
import { type Store, bodyBlocks, openStore, pullBlocks, putBody } from "../src/storage/index.ts";

export type Command =
  | { readonly do: "open"; readonly nodes: number; readonly bodyBytes: number; readonly bootstrap: string[] }
  /** A body more, for the first of them: another one for each size. */
  | { readonly do: "store"; readonly bytes: number }
  | { readonly do: "pull"; readonly cid: Cid; readonly bytes: number }
  /** Which of the body's blocks are here. */
  | { readonly do: "held"; readonly cid: Cid }
  | { readonly do: "plain"; readonly address: string; readonly bytes: number; readonly streams: number }
  | { readonly do: "bytesOut" };

export interface Answer {
  readonly addresses?: string[];
  readonly plainAddress?: string;
  readonly cid?: Cid;
  readonly ms?: number;
  readonly bytesOut?: number;
  /** Of the body's blocks that are here: their places. */
  readonly held?: number[];
  /** What a pull ended with, when it was not all there. */
  readonly code?: string;
  /** Of the whole process since it started. */
  readonly cpuMs: number;
}

const PLAIN = "/plain";
/** The author serves the others meanwhile, and leaves a handshake waiting. */
const DIAL_MS_MAX = 120_000;
const PIECE_BYTES = 64 * 1024;
const RUN = cidOf(new TextEncoder().encode("bench:transfer"), RAW) as RunId;

const dir = await mkdtemp(join(tmpdir(), "starling-transfer-"));
const nodes: { swarm: Swarm; store: Store }[] = [];
const plain = await openPlain();

process.on("message", ({ id, command }: { id: number; command: Command }) => {
  void perform(command).then((answer) => {
    const { user, system } = process.cpuUsage();
    process.send?.({ id, answer: { ...answer, cpuMs: (user + system) / 1000 } satisfies Answer });
  });
});
process.on("disconnect", () => void close());
process.send?.("ready");

async function perform(command: Command): Promise<Omit<Answer, "cpuMs">> {
  switch (command.do) {
    case "open":
      return open(command);
    case "store":
      return { cid: await storeBody(command.bytes) };
    case "pull":
      return pullAll(command);
    case "held":
      return { held: await heldOf(command.cid) };
    case "plain":
      return { ms: await timed(() => readPlain(command)) };
    case "bytesOut":
      return { bytesOut: nodes.reduce((sum, { swarm }) => sum + swarm.traffic().bytesOut, 0) };
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** Starts nodes; with a body of some size, the first of them holds it. Resolves when every node has met all it can. */
async function open(o: Command & { do: "open" }): Promise<Omit<Answer, "cpuMs">> {
  const bootstrap = [...o.bootstrap];
  for (let i = 0; i < o.nodes; i++) {
    const store = await openStore(join(dir, String(nodes.length)), { log: silentLog });
    const swarm = await createSwarm(
      {
        run: RUN,
        listen: ["/ip4/127.0.0.1/tcp/0"],
        bootstrap,
        dht: false,
        mdns: false,
        localAddresses: true,
      },
      {
        privateKey: await generateKeyPair("Ed25519"),
        blocks: store.blocks,
        headers: {
          since: async () => ({ headers: [], more: false }),
          byIds: async () => [],
          state: () => undefined,
        },
        log: silentLog,
        clock: systemClock,
      },
    );
    const met = new Promise<void>((resolve) => {
      const look = (): void => (swarm.peers().length >= bootstrap.length ? resolve() : undefined);
      swarm.onPeer(look);
      look();
    });
    await swarm.start();
    await met;
    bootstrap.push(swarm.addresses()[0] as string);
    nodes.push({ swarm, store });
  }
  const body = o.bodyBytes > 0 && (await storeBody(o.bodyBytes));
  return {
    addresses: nodes.flatMap(({ swarm }) => swarm.addresses()),
    plainAddress: String(plain.getMultiaddrs()[0]),
    ...(body ? { cid: body } : {}),
  };
}

async function storeBody(bytes: number): Promise<Cid> {
  const [first] = nodes;
  if (first === undefined) throw new Error("expected a node to store a body");
  return putBody(first.store.blocks, randomBytes(bytes));
}

function randomBytes(bytes: number): Uint8Array {
  const random = new SeededRandom(`bench:transfer/${bytes}`);
  const words = new Uint32Array(Math.ceil(bytes / 4));
  for (let i = 0; i < words.length; i++) words[i] = random.u32();
  return new Uint8Array(words.buffer, 0, bytes);
}

/** A pull that nobody can help any more ends with its code. */
async function pullAll(command: Command & { do: "pull" }): Promise<Omit<Answer, "cpuMs">> {
  let code: string | undefined;
  const ms = await timed(async () => {
    try {
      await Promise.all(nodes.map((node) => pull(node, command)));
    } catch (error) {
      // What is missing then, the bench asks for.
      if (!(error instanceof StarlingError)) throw error;
      code = error.code;
    }
  });
  return code === undefined ? { ms } : { ms, code };
}

/** Of the first node, and none before it knows what the body is made of. */
async function heldOf(cid: Cid): Promise<number[]> {
  const [node] = nodes;
  if (node === undefined) return [];
  const names = await bodyBlocks(node.store.blocks, cid);
  const isHere = await Promise.all(names.slice(0, -1).map((block) => node.store.blocks.has(block)));
  return [...isHere.keys()].filter((at) => isHere[at]);
}

async function pull(
  { swarm, store }: { swarm: Swarm; store: Store },
  { cid, bytes }: Command & { do: "pull" },
): Promise<void> {
  const signal = AbortSignal.timeout(300_000);
  const holders = (): PeerId[] => swarm.peers();
  const pulled = await pullBlocks(store.blocks, cid, {
    bytesMax: bytes,
    fetch: (cids, take) => swarm.fetchBlocks({ cids, root: cid, holders, take, signal }),
  });
  if (pulled.kind !== "accept") throw new Error(`${pulled.code}: ${pulled.detail}`);
}

/** The same transport, encryption and multiplexer, and nothing else: sends as many bytes as it is asked for. */
async function openPlain(): Promise<Libp2p> {
  const libp2p = await createLibp2p({
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    // It ends connections that are too busy to answer a ping.
    connectionMonitor: { enabled: false },
    // All receivers come at once, and from one host.
    connectionManager: {
      inboundConnectionThreshold: Infinity,
      inboundUpgradeTimeout: DIAL_MS_MAX,
      dialTimeout: DIAL_MS_MAX,
    },
  });
  await libp2p.handle(PLAIN, (stream) => {
    stream.addEventListener("message", ({ data }) => {
      void sendPlain(stream, Number(Buffer.from(data.subarray()).readBigUInt64LE()));
    });
  });
  return libp2p;
}

async function sendPlain(stream: Stream, bytes: number): Promise<void> {
  const piece = randomBytes(PIECE_BYTES);
  for (let sent = 0; sent < bytes; sent += PIECE_BYTES) {
    if (!stream.send(piece.subarray(0, bytes - sent))) await stream.onDrain();
  }
  await stream.close();
}

async function readPlain(o: Command & { do: "plain" }): Promise<void> {
  const connection = await plain.dial(multiaddr(o.address), { signal: AbortSignal.timeout(DIAL_MS_MAX) });
  const request = Buffer.alloc(8);
  request.writeBigUInt64LE(BigInt(o.bytes));
  await Promise.all(
    Array.from({ length: o.streams }, async () => {
      const stream = await connection.newStream(PLAIN);
      let read = 0;
      const done = new Promise<void>((resolve, reject) => {
        stream.addEventListener("message", ({ data }) => {
          read += data.byteLength;
          if (read >= o.bytes) resolve();
        });
        stream.addEventListener("close", () =>
          read >= o.bytes ? resolve() : reject(new Error("cut short")),
        );
      });
      stream.send(request);
      await done;
    }),
  );
}

async function close(): Promise<void> {
  for (const { swarm, store } of nodes) {
    await swarm.stop();
    await store.close();
  }
  await plain.stop();
  await rm(dir, { recursive: true, force: true });
}

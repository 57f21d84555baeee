import * as dagCbor from "@ipld/dag-cbor";
import type { Stream } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import { multiaddr } from "@multiformats/multiaddr";
import { encode } from "it-length-prefixed";
import { expect, test } from "vitest";
import { type PeerId, RAW, type RunId, accept, cidOf } from "../../../src/core/index.ts";
import { type Swarm, contributionsTopic } from "../../../src/gossip/index.ts";
import {
  DEADLINE_MS,
  Inbox,
  RUN,
  connected,
  eventually,
  node,
  pair,
  randomBytes,
  startedNode,
  stranger,
  within,
} from "./nodes.ts";

const BLOCKS = "/starling/1/blocks";
const SYNC = "/starling/1/sync";
const BLOCK = randomBytes("a block", 1000);
const CID = cidOf(BLOCK, RAW);
const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(DEADLINE_MS) });

async function open(to: Swarm, protocol: string): Promise<Stream> {
  const libp2p = await stranger(to);
  return libp2p.dialProtocol(peerIdFromString(to.peerId), protocol);
}

/** Sends without regard for anything; resolves when the other side has ended the stream. */
async function flood(stream: Stream, bytes: Uint8Array): Promise<void> {
  const closed = within("end of the stream", (resolve) => {
    if (stream.status !== "open") resolve();
    stream.addEventListener("close", () => resolve());
  });
  for (let at = 0; at < bytes.length && stream.status === "open"; at += 65536) {
    try {
      if (!stream.send(bytes.subarray(at, at + 65536))) await Promise.race([stream.onDrain(), closed]);
    } catch {
      // The stream was ended in the middle of a send: what this test is about.
      break;
    }
  }
  // Refused while the stream is being reset, which is as good.
  await stream.close().catch(() => undefined);
  await closed;
}

test.each([BLOCKS, SYNC])(
  "10 MB of junk on %s end the stream; honest requests are still served",
  async (protocol) => {
    const [victim, honest] = await pair({ blocks: { get: async () => BLOCK } });
    const junk = randomBytes("junk", 10_000_000);
    // As it is; behind a length that promises more than is allowed; and as endless small frames.
    const frames = Buffer.concat(
      Array.from({ length: 1000 }, () => Buffer.from([16, ...randomBytes("frame", 16)])),
    );
    const floods = [junk, Buffer.concat([Buffer.from([0x80, 0x80, 0x80, 0x08]), junk]), frames];
    await Promise.all(floods.map(async (bytes) => flood(await open(victim, protocol), bytes)));
    expect(await honest.fetchBlock(CID, [victim.peerId], soon())).toEqual(BLOCK);
    expect(await honest.requestHeaders(victim.peerId, { phase: 0, fromRound: 0 }, soon())).toEqual({
      headers: [],
      more: false,
    });
  },
);

test.each([
  ["no CBOR", Uint8Array.of(0xff, 0xff)],
  ["an unknown field", dagCbor.encode({ phase: 0, fromRound: 0, extra: 1 })],
  ["a negative round", dagCbor.encode({ phase: 0, fromRound: -1 })],
  ["ids that are no CIDs", dagCbor.encode({ ids: ["bafk"] })],
  ["nesting without end", new Uint8Array(16_000).fill(0x81)],
])("a sync request of %s gets no reply", async (_, request) => {
  const victim = await startedNode();
  const stream = await open(victim, SYNC);
  await flood(stream, encode.single(request).subarray());
  expect(stream.status).toBe("reset");
});

test("two junk requests are a ban: the connection ends and dialling again fails", async () => {
  const victim = await startedNode();
  const libp2p = await stranger(victim);
  const id = peerIdFromString(victim.peerId);
  const closed = within("disconnect", (resolve) =>
    libp2p.addEventListener("peer:disconnect", () => resolve()),
  );
  for (let n = 0; n < 2; n++) {
    const stream = await libp2p.dialProtocol(id, SYNC);
    await flood(stream, encode.single(Uint8Array.of(0xff)).subarray());
  }
  await closed;
  // The gater answers after the handshake, so a dial may seem to succeed; no protocol can be spoken on it.
  const again = libp2p
    .dial(victim.addresses().map((address) => multiaddr(address)))
    .then(() => libp2p.dialProtocol(id, SYNC))
    .then((stream) => flood(stream, Uint8Array.of(1)).then(() => Promise.reject(new Error("closed"))));
  await expect(again).rejects.toThrow();
  expect(victim.peers()).toEqual([]);
});

test("replies that are too large or no replies at all cost the holder, and the next one is asked", async () => {
  const [honest, asker] = await pair({ blocks: { get: async () => BLOCK } });
  const liar = await stranger(asker);
  await liar.handle(BLOCKS, async (stream) => {
    await flood(stream, randomBytes("endless", 10_000_000));
  });
  const liarId = liar.peerId.toString() as PeerId;
  expect(await asker.fetchBlock(CID, [liarId, honest.peerId], soon())).toEqual(BLOCK);
  await eventually(() => asker.score(liarId)).toBeLessThan(0);
});

test("a busy holder is asked again", async () => {
  const asker = await startedNode();
  const busy = await stranger(asker);
  let asked = 0;
  await busy.handle(BLOCKS, async (stream) => {
    asked += 1;
    const reply = asked < 3 ? Uint8Array.of(2) : Buffer.concat([Uint8Array.of(0), BLOCK]);
    stream.send(encode.single(reply));
    await stream.close();
  });
  expect(await asker.fetchBlock(CID, [busy.peerId.toString() as PeerId], soon())).toEqual(
    new Uint8Array(BLOCK),
  );
  expect(asked).toBe(3);
});

test("a gossip message of 100 KiB from a peer without manners is rejected", async () => {
  const topic = contributionsTopic(RUN, 0);
  const victim = await node();
  const inbox = new Inbox(victim, topic);
  await victim.start();
  const libp2p = await stranger(victim);
  const subscribed = within("subscription", (resolve) => {
    libp2p.services.pubsub.addEventListener("subscription-change", () => resolve());
  });
  await subscribed;
  await libp2p.services.pubsub.publish(topic, randomBytes("large", 100 * 1024));
  await eventually(() => victim.score(libp2p.peerId.toString() as PeerId)).toBeLessThan(0);
  expect(inbox.size).toBe(0);
});

test("a flood of messages is cut, and costs the flooder its connection", async () => {
  const topic = contributionsTopic(RUN as RunId, 1);
  const victim = await startedNode();
  victim.topic(topic, () => accept(undefined));
  const flooder = await startedNode({ bootstrap: victim.addresses() });
  flooder.topic(topic, () => accept(undefined));
  await connected(victim, [flooder]);
  await eventually(() => flooder.mesh(topic)).toEqual([victim.peerId]);
  for (let n = 0; n < 2500; n++) await flooder.publish(topic, Buffer.from(`message ${n}`));
  await eventually(() => victim.peers()).toEqual([]);
});

import { expect, test } from "vitest";
import { type Cid, type PeerId, RAW, cidOf } from "../../../src/core/index.ts";
import type { BlockSource } from "../../../src/gossip/index.ts";
import { DEADLINE_MS, RUN, connected, eventually, pair, randomBytes, startedNode } from "./nodes.ts";

const BLOCK = randomBytes("a block", 1024 * 1024);
const CID = cidOf(BLOCK, RAW);
const HOLDER: Pick<BlockSource, "get"> = { get: async (cid) => (cid === CID ? BLOCK : undefined) };
const LIAR: Pick<BlockSource, "get"> = { get: async () => randomBytes("a lie", 1024 * 1024) };
const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(DEADLINE_MS) });

test("a block of 1 MiB arrives whole, and the traffic of both ends shows it", async () => {
  const [holder, asker] = await pair({ blocks: HOLDER });
  const before = { holder: holder.traffic(), asker: asker.traffic() };
  const block = await asker.fetchBlock(CID, [holder.peerId], soon());
  expect(Buffer.compare(block, BLOCK)).toBe(0);
  expect(asker.traffic().bytesIn - before.asker.bytesIn).toBeGreaterThan(BLOCK.length);
  expect(asker.traffic().bytesIn - before.asker.bytesIn).toBeLessThan(BLOCK.length * 1.05);
  expect(holder.traffic().bytesOut - before.holder.bytesOut).toBeGreaterThan(BLOCK.length);
});

test("a holder that sends other bytes is skipped and pays; the next one is asked", async () => {
  const [liar, asker] = await pair({ blocks: LIAR });
  const honest = await startedNode({ blocks: HOLDER, bootstrap: asker.addresses() });
  await connected(asker, [honest]);
  const block = await asker.fetchBlock(CID, [liar.peerId, honest.peerId], soon());
  expect(Buffer.compare(block, BLOCK)).toBe(0);
  await eventually(() => asker.score(liar.peerId)).toBeLessThan(0);
  expect(asker.score(honest.peerId)).toBeGreaterThanOrEqual(0);
});

test("a block nobody holds is BLOCK_NOT_FOUND, and names who was asked", async () => {
  const [empty, asker] = await pair();
  const nobody = "12D3KooWGzBXWNvHpLUTgZ1XEbMwVqKQbcCLGmE7hwGSBDvFAGpP" as PeerId;
  const failure = asker.fetchBlock(CID, [empty.peerId, nobody, "not a peer id" as PeerId], soon());
  await expect(failure).rejects.toMatchObject({ code: "BLOCK_NOT_FOUND" });
  await expect(failure).rejects.toThrow(`${empty.peerId} BLOCK_MISSING`);
  await expect(failure).rejects.toThrow(`${nobody} PEER_UNREACHABLE`);
  expect(asker.score(empty.peerId)).toBeGreaterThanOrEqual(0);
});

test("a holder larger than 1 MiB of bytes has nothing to give", async () => {
  const large = new Uint8Array(1024 * 1024 + 1);
  const [holder, asker] = await pair({ blocks: { get: async () => large } });
  await expect(asker.fetchBlock(cidOf(large, RAW), [holder.peerId], soon())).rejects.toMatchObject({
    code: "BLOCK_NOT_FOUND",
  });
});

test("the caller's deadline ends a fetch from a holder that never answers", async () => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<undefined>();
  const get = (): Promise<undefined> => {
    asked.resolve();
    return release.promise;
  };
  const [silent, asker] = await pair({ blocks: { get } });
  const deadline = new AbortController();
  const fetching = asker.fetchBlock(CID, [silent.peerId], { signal: deadline.signal });
  await asked.promise;
  deadline.abort(new Error("enough"));
  await expect(fetching).rejects.toMatchObject({ code: "BLOCK_NOT_FOUND" });
  release.resolve(undefined);
});

test("at most four requests are at one holder at once, and many are all answered", async () => {
  let inside = 0;
  let insideMax = 0;
  const blocks = new Map<Cid, Uint8Array>();
  for (let n = 0; n < 40; n++) {
    const block = randomBytes(`block ${n}`, 10_000);
    blocks.set(cidOf(block, RAW), block);
  }
  const get = async (cid: Cid): Promise<Uint8Array | undefined> => {
    inside += 1;
    insideMax = Math.max(insideMax, inside);
    await new Promise(setImmediate);
    inside -= 1;
    return blocks.get(cid);
  };
  const [holder, asker] = await pair({ blocks: { get } });
  const cids = [...blocks.keys()];
  const fetched = await Promise.all(cids.map((cid) => asker.fetchBlock(cid, [holder.peerId], soon())));
  expect(fetched.map((block) => cidOf(block, RAW))).toEqual(cids);
  expect(insideMax).toBeLessThanOrEqual(4);
});

test("S2 without a named holder the DHT's providers are asked", async () => {
  const holder = await startedNode({ dht: true, blocks: HOLDER });
  const asker = await startedNode({ dht: true, bootstrap: holder.addresses() });
  await Promise.all([connected(asker, [holder]), connected(holder, [asker])]);
  await holder.provide(CID, soon());
  const block = await asker.fetchBlock(CID, [], soon());
  expect(Buffer.compare(block, BLOCK)).toBe(0);
});

test("S2 many shards without a named holder come from whoever provides the run that names them", async () => {
  const shards = new Map(
    [1, 2, 3].map((i) => [cidOf(randomBytes(`shard ${i}`, 1000), RAW), randomBytes(`shard ${i}`, 1000)]),
  );
  const holder = await startedNode({ dht: true, blocks: { get: async (cid) => shards.get(cid) } });
  const asker = await startedNode({ dht: true, bootstrap: holder.addresses() });
  await Promise.all([connected(asker, [holder]), connected(holder, [asker])]);
  await holder.provide(RUN, soon());
  const taken = new Map<Cid, Uint8Array>();
  await asker.fetchBlocks({
    cids: [...shards.keys()],
    root: RUN,
    holders: () => [],
    take: async (cid, block) => void taken.set(cid, block),
    ...soon(),
  });
  for (const [cid, bytes] of shards)
    expect(Buffer.compare(taken.get(cid) ?? new Uint8Array(0), bytes)).toBe(0);
});

/** S2: a checkpoint is served out of its files, block by block, and pulled by who has only its roots. */
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  BLOCK_BYTES,
  type Cid,
  type Digest,
  type RunId,
  digestOf,
  rootOfBytes,
  silentLog,
} from "../../../src/core/index.ts";
import {
  type PullOptions,
  type ServedCheckpoints,
  bodyCid,
  openCheckpoints,
  openServedCheckpoints,
  pullBlocks,
  pullBody,
} from "../../../src/storage/index.ts";
import { filesBelow, flipByte, memoryBlocks, randomBytes, rawCid, temporaryStore } from "./support.ts";

const RECORD = randomBytes(1000, "record");

async function saved(
  bytes: number,
): Promise<{ dir: string; weights: Uint8Array; served: ServedCheckpoints }> {
  const { dir } = await temporaryStore();
  const weights = randomBytes(bytes, `weights ${bytes}`);
  const meta = {
    run: rawCid(RECORD) as RunId,
    phase: 0,
    round: 8,
    root: digestOf(RECORD),
    weightsRoot: rootOfBytes(weights),
    accounts: {},
  };
  const folder = join(dir, "checkpoints");
  await openCheckpoints(folder).save(meta, weights, RECORD);
  const served = openServedCheckpoints([folder], { log: silentLog });
  await served.refresh();
  return { dir: folder, weights, served };
}

const fetchFrom =
  (served: ServedCheckpoints): PullOptions["fetch"] =>
  async (cids, take) => {
    for (const cid of cids) {
      const block = await served.get(cid);
      if (block === undefined) throw new Error(`expected ${cid}`);
      await take(cid, block);
    }
  };

test.each([1000, BLOCK_BYTES, 2.5 * BLOCK_BYTES])(
  "S2 weights of %d bytes and their record are pulled whole",
  async (bytes) => {
    const { weights, served } = await saved(bytes);
    const [state] = served.states();
    expect(state).toEqual({ phase: 0, round: 8, root: digestOf(RECORD), base: bodyCid(RECORD) });
    const fetch = fetchFrom(served);
    for (const body of [weights, RECORD]) {
      const root = rootOfBytes(body);
      const pulled = await pullBody(memoryBlocks(), bodyCid(body), { bytesMax: body.length, root, fetch });
      expect(pulled.kind === "accept" && Buffer.compare(pulled.value, body)).toBe(0);
    }
  },
);

test("S2 a list of blocks with another root is refused before any block is asked for", async () => {
  const { weights, served } = await saved(2.5 * BLOCK_BYTES);
  const asked: Cid[] = [];
  const fetch: PullOptions["fetch"] = async (cids, take) => {
    asked.push(...cids);
    await fetchFrom(served)(cids, take);
  };
  const root = "ab".repeat(32) as Digest;
  const cid = bodyCid(weights);
  const refused = await pullBlocks(memoryBlocks(), cid, { bytesMax: weights.length, root, fetch });
  expect(refused).toMatchObject({ kind: "reject", code: "BODY_ROOT" });
  expect(asked).toEqual([cid]);
});

test("S2 a block that is damaged on the disk is not served; nor is one of a checkpoint that is gone", async () => {
  const { dir, weights, served } = await saved(2.5 * BLOCK_BYTES);
  const [path] = (await filesBelow(dir)).filter((file) => file.endsWith("weights.bin"));
  await flipByte(path as string, BLOCK_BYTES + 1);
  const cids = [0, 1, 2].map((i) => rawCid(weights.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES)));
  const got = await Promise.all(cids.map((cid) => served.get(cid)));
  expect(got.map((block) => block?.length)).toEqual([BLOCK_BYTES, undefined, BLOCK_BYTES / 2]);
  expect(served.has(rawCid(randomBytes(10, "unknown")))).toBe(false);
});

test("S12 a block of a checkpoint with a flipped byte is told of, not served, and whole again when it was had anew", async () => {
  const { dir, weights } = await saved(2.5 * BLOCK_BYTES);
  const told: Cid[] = [];
  const served = openServedCheckpoints([dir], { log: silentLog, damaged: (cid) => told.push(cid) });
  await served.refresh();
  const [first, second] = [weights.subarray(0, BLOCK_BYTES), weights.subarray(BLOCK_BYTES, 2 * BLOCK_BYTES)];
  const [path] = (await filesBelow(dir)).filter((each) => each.endsWith("weights.bin"));
  await flipByte(path as string, BLOCK_BYTES + 5);
  await expect(served.get(rawCid(second))).resolves.toBeUndefined();
  expect(told).toEqual([rawCid(second)]);
  // Other bytes than the named ones never get in.
  await served.mend(rawCid(second), first);
  await expect(served.get(rawCid(second))).resolves.toBeUndefined();
  await served.mend(rawCid(second), second);
  expect(Buffer.compare((await served.get(rawCid(second))) as Uint8Array, second)).toBe(0);
  const latest = await openCheckpoints(dir).latest();
  expect(Buffer.compare(latest?.weights as Uint8Array, weights)).toBe(0);
});

import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BLOCK_BYTES, type Cid } from "../../../src/core/index.ts";
import {
  filesBelow,
  flipByte,
  nodeCid,
  randomBytes,
  rawCid,
  recordingLog,
  temporaryDir,
  temporaryStore,
} from "./support.ts";

test("a block is put, found, read and deleted", async () => {
  const { blocks, dir } = await temporaryStore();
  const bytes = randomBytes(1000, "block");
  const cid = rawCid(bytes);
  expect(await blocks.has(cid)).toBe(false);
  expect(await blocks.get(cid)).toBeUndefined();
  await blocks.put(cid, bytes);
  await blocks.put(cid, bytes);
  expect(await blocks.has(cid)).toBe(true);
  expect(await blocks.get(cid)).toEqual(bytes);
  expect(await readdir(join(dir, "tmp"))).toEqual([]);
  await blocks.delete(cid);
  await blocks.delete(cid);
  expect(await blocks.has(cid)).toBe(false);
});

test("blocks of 0 bytes and of 1 MiB, raw and DAG-CBOR, are the same after a restart", async () => {
  const dir = await temporaryDir();
  const first = await temporaryStore(dir);
  const [none, full] = [new Uint8Array(0), randomBytes(BLOCK_BYTES, "full")];
  await first.blocks.put(rawCid(none), none);
  await first.blocks.put(nodeCid(full), full);
  await first.close();
  const { blocks } = await temporaryStore(dir);
  expect(await blocks.get(rawCid(none))).toEqual(none);
  expect(Buffer.compare((await blocks.get(nodeCid(full))) as Uint8Array, full)).toBe(0);
});

test("the same block put by many at once is whole all the time", async () => {
  const { log, warnings } = recordingLog();
  const { blocks } = await temporaryStore(undefined, log);
  const bytes = randomBytes(300_000, "same");
  const cid = rawCid(bytes);
  await blocks.put(cid, bytes);
  const results = await Promise.all(
    Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? blocks.put(cid, bytes) : blocks.get(cid))),
  );
  for (const [i, result] of results.entries())
    if (i % 2 === 1) expect(Buffer.compare(result as Uint8Array, bytes)).toBe(0);
  expect(warnings).toEqual([]);
});

test.each(["flipped byte", "cut short", "emptied"])(
  "F16: a damaged block (%s) is deleted, said, and missing",
  async (how) => {
    const { log, warnings } = recordingLog();
    const { blocks, dir } = await temporaryStore(undefined, log);
    const bytes = randomBytes(1000, "block");
    const cid = rawCid(bytes);
    await blocks.put(cid, bytes);
    const [path] = (await filesBelow(join(dir, "blocks"))) as [string];
    if (how === "flipped byte") await flipByte(path, 500);
    else await writeFile(path, how === "cut short" ? bytes.subarray(0, 999) : "");

    expect(await blocks.get(cid)).toBeUndefined();
    expect(warnings).toEqual(["a block on disk differs from its hash; deleted"]);
    expect(await blocks.has(cid)).toBe(false);
    await blocks.put(cid, bytes);
    expect(await blocks.get(cid)).toEqual(bytes);
  },
);

test("F16: a name that is no CID never becomes a path", async () => {
  const { blocks } = await temporaryStore();
  await expect(blocks.get("../../../etc/passwd" as Cid)).rejects.toThrow("expected a CID");
});

test("a block above 1 MiB is a bug", async () => {
  const { blocks } = await temporaryStore();
  const bytes = new Uint8Array(BLOCK_BYTES + 1);
  await expect(blocks.put(rawCid(bytes), bytes)).rejects.toThrow("at most 1048576");
});

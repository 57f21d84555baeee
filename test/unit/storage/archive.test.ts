/** A data folder that is only read: as its bytes are, locked, and left as it was. */
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type Cid,
  type ContributionId,
  DAG_CBOR,
  SeededRandom,
  cidOf,
  silentLog,
} from "../../../src/core/index.ts";
import {
  checkSeal,
  headerKey,
  openArchive,
  openStore,
  putBody,
  readBody,
} from "../../../src/storage/index.ts";
import { damageInLog } from "../../../src/storage/level-log.ts";
import { damageInTable } from "../../../src/storage/level-table.ts";
import { collect, randomBytes, runNamed, temporaryDir, temporaryStore } from "./support.ts";

async function filled(headersCount = 20): Promise<string> {
  const dir = await temporaryDir();
  const store = await openStore(dir, { run: runNamed("archive"), log: silentLog });
  for (let round = 0; round < headersCount; round++) {
    const bytes = randomBytes(300, `header ${round}`);
    const id = cidOf(bytes, DAG_CBOR) as ContributionId;
    await store.contributions.put({ phase: 0, round, id, bytes });
  }
  await store.close();
  return dir;
}

async function fileOf(dir: string, ending: ".log" | ".ldb"): Promise<{ path: string; bytes: Uint8Array }> {
  const folder = join(dir, "contributions");
  const name = (await readdir(folder)).find((each) => each.endsWith(ending)) ?? "";
  return { path: join(folder, name), bytes: await readFile(join(folder, name)) };
}

test("R8 reads headers and their index in order, and the node's name", async () => {
  const dir = await filled();
  const archive = await openArchive(dir);
  const headers = await collect(archive.headers());
  expect(headers.map(({ key, bytes }) => [key, Buffer.from(bytes).toString("hex")])).toEqual(
    Array.from({ length: 20 }, (_, round) => {
      const bytes = randomBytes(300, `header ${round}`);
      return [
        headerKey(0, round, cidOf(bytes, DAG_CBOR) as ContributionId),
        Buffer.from(bytes).toString("hex"),
      ];
    }),
  );
  const places = await collect(archive.places());
  expect(places.map(({ key }) => key).toSorted()).toEqual(headers.map(({ key }) => key));
  await archive.close();
  const store = await temporaryStore(dir);
  expect(archive.self).toBe(store.peerId);
  expect(archive.run).toBe(store.run());
});

test("R8 gives damaged blocks and folders as they are, and repairs nothing", async () => {
  const dir = await temporaryDir();
  const store = await openStore(dir, { run: runNamed("archive"), log: silentLog });
  const body = randomBytes(2 ** 20 + 5, "body");
  const cid = await putBody(store.blocks, body);
  await store.checkpoints.save(
    {
      run: runNamed("archive"),
      phase: 0,
      round: 8,
      root: "" as never,
      weightsRoot: "" as never,
      accounts: {},
    },
    randomBytes(64, "weights"),
  );
  await store.close();
  const archive = await openArchive(dir);
  const read = (): ReturnType<typeof readBody> => readBody((each) => archive.block(each), cid, body.length);
  expect(await read()).toEqual({ kind: "accept", value: body });
  const [folder] = await collect(archive.checkpoints());
  expect(folder).toMatchObject({ phase: 0, round: 8, name: "0-8-1" });
  expect(checkSeal(folder.files)).toBeUndefined();
  for (const [name, bytes] of folder.files) {
    const wrong = Uint8Array.from(bytes);
    wrong[wrong.length >> 1] ^= 4;
    expect(checkSeal(new Map([...folder.files, [name, wrong]]))?.kind).toBe("reject");
    expect(checkSeal(new Map([...folder.files].filter(([each]) => each !== name)))?.kind).toBe("reject");
  }
  expect(checkSeal(new Map([...folder.files, ["more", new Uint8Array(1)]]))?.detail).toContain("more");

  const block = cidOf(body.subarray(2 ** 20), 0x55);
  const path = join(dir, "blocks", block.slice(-2), block);
  await writeFile(path, "other");
  expect(await read()).toMatchObject({
    kind: "reject",
    code: "BODY_BLOCK_HASH",
    detail: expect.stringContaining(block) as string,
  });
  expect(await readFile(path, "utf8")).toBe("other");
  await rm(path);
  expect(await read()).toMatchObject({ kind: "ignore", code: "BODY_MISSING" });
  expect(await archive.block(cidOf(randomBytes(9, "no block"), 0x55) as Cid)).toBeUndefined();
  await archive.close();
});

test("R8 refuses a folder that a node holds, and one that is none, and makes nothing there", async () => {
  const dir = await filled();
  const store = await openStore(dir, { log: silentLog });
  await expect(openArchive(dir)).rejects.toMatchObject({
    code: "DATA_DIR_IN_USE",
    message: expect.stringContaining(String(process.pid)) as string,
  });
  await store.close();
  const archive = await openArchive(dir);
  await expect(openStore(dir, { log: silentLog })).rejects.toMatchObject({ code: "DATA_DIR_IN_USE" });
  await archive.close();
  const empty = await temporaryDir();
  await expect(openArchive(empty)).rejects.toMatchObject({ code: "DATA_DIR_EMPTY" });
  expect(await readdir(empty)).toEqual([]);
  await rm(join(dir, "key"));
  const keyless = await openArchive(dir);
  await keyless.close();
  expect(keyless.self).toBeUndefined();
  expect(await readdir(dir)).not.toContain("key");
});

test("R8 a flipped byte anywhere in LevelDB's log is found; a log cut short by a crash is not damage", async () => {
  // More than one of the log's blocks of 32 KiB, so that records are in pieces.
  const { bytes } = await fileOf(await filled(150), ".log");
  expect(bytes.length).toBeGreaterThan(65_536);
  expect(damageInLog(bytes)).toBeUndefined();
  const random = new SeededRandom("log");
  for (let flip = 0; flip < 2000; flip++) {
    const wrong = Uint8Array.from(bytes);
    // Half of them at the end, where damage looks most like a crash.
    const at = flip % 2 === 0 ? random.below(bytes.length) : bytes.length - 1 - random.below(1000);
    wrong[at] ^= 1 + random.below(255);
    expect(damageInLog(wrong), `byte ${at} of ${bytes.length}`).toBeDefined();
  }
  for (let cut = 0; cut < 500; cut++)
    expect(damageInLog(bytes.subarray(0, bytes.length - cut))).toBeUndefined();
});

test("R8 a flipped byte anywhere in a LevelDB's table is found", async () => {
  const dir = await filled(100);
  // The next one to open it turns the log into a table.
  await (await openArchive(dir)).close();
  const { bytes } = await fileOf(dir, ".ldb");
  expect(damageInTable(bytes)).toBeUndefined();
  const random = new SeededRandom("table");
  for (let flip = 0; flip < 1000; flip++) {
    const wrong = Uint8Array.from(bytes);
    const at = flip % 4 === 0 ? bytes.length - 1 - random.below(200) : random.below(bytes.length);
    wrong[at] ^= 1 + random.below(255);
    expect(damageInTable(wrong), `byte ${at} of ${bytes.length}`).toBeDefined();
  }
  for (let length = 0; length < bytes.length; length += 97)
    expect(damageInTable(bytes.subarray(0, length))).toBeDefined();
});

test("R8 a folder whose log is damaged is not opened, and the file is named", async () => {
  const dir = await filled();
  const { path, bytes } = await fileOf(dir, ".log");
  const wrong = Uint8Array.from(bytes);
  wrong[bytes.length >> 1] ^= 1;
  await writeFile(path, wrong);
  await expect(openArchive(dir)).rejects.toMatchObject({
    code: "DATA_DIR_DAMAGED",
    message: expect.stringContaining(path) as string,
  });
  expect(Buffer.compare(await readFile(path), wrong)).toBe(0);
});

/** Real files of every format, cut into a real data folder. */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BLOCK_BYTES, type Cid, RAW, cidOf, silentLog } from "../../../../src/core/index.ts";
import { addToFolder, initRun } from "../../../../src/node/index.ts";
import { type DataRecord, RECORD_BYTES_MAX, openRecord } from "../../../../src/node/data/record.ts";
import { storedBodies } from "../../../../src/node/data/run-data.ts";
import { openStore } from "../../../../src/storage/index.ts";

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "starling-data-"))));
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Short enough to be one piece each. */
const DOCUMENTS = Array.from(
  { length: 60 },
  (_, i) => `Document ${i}: Ünïcode ✓ ${"and so on ".repeat(i % 20)}`,
);

async function add(
  name: string,
  content: Uint8Array | string,
  options = {},
): Promise<{ record: DataRecord; cid: Cid }> {
  const path = join(dir, name);
  await writeFile(path, content);
  const to = join(dir, "data");
  await mkdir(to, { recursive: true });
  return addToFolder(to, { text: path, tokenizerFile: null, ...options }, { log: silentLog });
}

/** All documents, from the shards on the disk. */
async function documentsIn({ train, heldOut }: DataRecord): Promise<string[]> {
  const store = await openStore(join(dir, "data"), { log: silentLog });
  try {
    const read = storedBodies(store.blocks);
    const bytes = [];
    for (const { cid } of [...train, ...heldOut]) {
      const shard = await read(cid, BLOCK_BYTES);
      bytes.push(shard.kind === "accept" ? shard.value : new Uint8Array(0));
    }
    return Buffer.concat(bytes).toString("utf8").split("\0").slice(0, -1).toSorted();
  } finally {
    await store.close();
  }
}

const jsonl = DOCUMENTS.map((body) => JSON.stringify({ id: 7, body })).join("\n");
const parquet = (): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({ columnData: [{ name: "body", data: DOCUMENTS, type: "STRING" }], rowGroupSize: 25 }),
  );

test.each([
  ["lines.jsonl", () => jsonl],
  ["lines.ndjson.gz", () => gzipSync(jsonl)],
  ["lines.jsonl.zst", () => zstdCompressSync(jsonl)],
  ["rows.parquet", parquet],
] as const)("T9 %s gives its documents, each ended, some held out", async (name, content) => {
  const { record } = await add(name, content(), { field: "body", licence: "CC0-1.0" });
  expect(await documentsIn(record)).toEqual(DOCUMENTS.toSorted());
  const bytes = DOCUMENTS.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  expect(record).toMatchObject({
    source: name,
    licence: "CC0-1.0",
    documents: 60,
    bytes,
    tokenizer: "bytes",
  });
  const held = record.heldOut.reduce((sum, { tokens }) => sum + tokens, 0);
  expect(held).toBeGreaterThan(0);
  expect(held + record.train.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(bytes + 60);
});

test("T9 a folder is its files in the order of their names, and the same files give the same shards", async () => {
  await mkdir(join(dir, "folder", "inner"), { recursive: true });
  for (const [i, text] of DOCUMENTS.entries())
    await writeFile(join(dir, "folder", i % 2 ? "inner" : "", `${i}.txt`), text);
  const options = { text: join(dir, "folder"), tokenizerFile: null };
  const first = await addToFolder(join(dir, "data"), options, { log: silentLog });
  expect(await documentsIn(first.record)).toEqual(DOCUMENTS.toSorted());
  const again = await addToFolder(join(dir, "data"), options, { log: silentLog });
  expect(again.cid).toBe(first.cid);
});

test("T9 the record is signed: another author, source or shard is found", async () => {
  const { cid, record } = await add("book.txt", DOCUMENTS.join("\n"));
  const store = await openStore(join(dir, "data"), { log: silentLog });
  const body = await storedBodies(store.blocks)(cid, RECORD_BYTES_MAX);
  await store.close();
  const bytes = body.kind === "accept" ? body.value : new Uint8Array(0);
  expect(await openRecord(bytes)).toEqual({ kind: "accept", value: record });
  const forged = Buffer.from(Buffer.from(bytes).toString("latin1").replace("book.txt", "cook.txt"), "latin1");
  expect(await openRecord(forged)).toMatchObject({ code: "DATA_RECORD_SIGNATURE" });
  for (const wrong of [new Uint8Array(0), randomBytes(100), bytes.subarray(1), Buffer.concat([bytes, bytes])])
    expect(await openRecord(wrong)).toMatchObject({ code: "DATA_RECORD_MALFORMED" });
});

test.each([
  [
    "a line that is no JSON",
    "wrong.jsonl",
    `{"text":"a"}\nb`,
    /wrong\.jsonl, line 2: expected a JSON object/,
  ],
  ["a line without the field", "field.jsonl", `{"body":"a"}`, /field\.jsonl, line 1.*"text".*body.*--field/],
  ["a column that is not there", "rows.parquet", parquet(), /rows\.parquet.*"text".*--field.*body/],
  ["a Parquet file that is none", "no.parquet", "Parquet?", /no\.parquet: expected a Parquet file/],
  ["a packed Parquet file", "rows.parquet.gz", gzipSync(parquet()), /rows\.parquet\.gz unpacked/],
  ["a gzip file that is none", "no.txt.gz", "plain", /no\.txt\.gz: incorrect header check/],
  ["nothing", "empty.txt", "", /expected text in empty\.txt, got none/],
])("T9 %s is refused with where it is and what to do", async (_, name, content, message) => {
  await expect(add(name, content)).rejects.toThrow(message);
});

test("T9 a run names what was added, and init refuses what is not there", async () => {
  const { cid } = await add("more.jsonl", jsonl, { field: "body" });
  const o = { dataDir: join(dir, "data"), log: silentLog };
  const { manifest } = await initRun({ preset: "tiny", data: [cid] }, o);
  expect(manifest.data).toEqual([cid]);
  await expect(initRun({ preset: "tiny", data: [cidOf(randomBytes(8), RAW)] }, o)).rejects.toThrow(
    /expected a record of data under/,
  );
});

import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKeyPair } from "@libp2p/crypto/keys";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Address, type Payout, parseAddress } from "../../../src/consensus/index.ts";
import { type PeerId, silentLog } from "../../../src/core/index.ts";
import { readOwnPayout, readPayoutFiles, setPayout } from "../../../src/node/index.ts";
import { payoutText, signPayout, verifyPayout } from "../../../src/node/credits/payouts.ts";
import { openStore } from "../../../src/storage/index.ts";
import { peerOf, runIdOf } from "../../support/run-of.ts";

const run = runIdOf("run");
const A = parseAddress(`0x${"a".repeat(40)}`) as Address;
const B = parseAddress(`0x${"b".repeat(40)}`) as Address;
const key = await generateKeyPair("Ed25519");
const author = peerIdFromPrivateKey(key).toString() as PeerId;

let dir: string;
let dataDir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "payouts-"));
  dataDir = join(dir, "data");
});

afterEach(async () => rm(dir, { recursive: true, force: true }));

async function write(name: string, content: string): Promise<string> {
  await writeFile(join(dir, name), content);
  return join(dir, name);
}

test("R9 a record binds an address to the key that signed it: whatever of it is changed, it no longer verifies", async () => {
  const record = await signPayout({ v: 1, run, author, address: A, sequence: 1 }, key);
  expect(await verifyPayout(JSON.parse(payoutText(record)), run)).toEqual({ kind: "accept", value: record });
  const flipped = Buffer.from(record.sig, "base64");
  flipped[0] = (flipped[0] ?? 0) ^ 1;
  const changes: Partial<Payout>[] = [
    { author: peerOf("eve") },
    { address: B },
    { sequence: 2 },
    { sig: flipped.toString("base64") },
  ];
  for (const change of changes)
    expect(await verifyPayout({ ...record, ...change }, run)).toMatchObject({ code: "PAYOUT_SIGNATURE" });
  const other = runIdOf("other");
  expect(await verifyPayout({ ...record, run: other }, other)).toMatchObject({ code: "PAYOUT_SIGNATURE" });
  expect(await verifyPayout(record, other)).toMatchObject({ kind: "ignore", code: "PAYOUT_OTHER_RUN" });
});

test("R9 an address is set beside the process that holds the folder, and every change counts up", async () => {
  const store = await openStore(dataDir, { run, log: silentLog });
  try {
    expect(await readOwnPayout(dataDir)).toBeUndefined();
    const first = await setPayout({ dataDir, address: A });
    expect(first).toMatchObject({ run, author: store.peerId, address: A, sequence: 1 });
    expect(await setPayout({ dataDir, address: A })).toEqual(first);
    expect((await setPayout({ dataDir, address: B })).sequence).toBe(2);
    expect((await setPayout({ dataDir, address: A, sequence: 9 })).sequence).toBe(9);
    const last = await readOwnPayout(dataDir);
    expect(last).toMatchObject({ address: A, sequence: 9 });
    expect((await verifyPayout(last, run)).kind).toBe("accept");
    await expect(setPayout({ dataDir, address: B, sequence: 9 })).rejects.toThrow(/above 9.*got 9/);
  } finally {
    await store.close();
  }
});

test("F16 a folder that is nobody's gets no key and no record", async () => {
  for (const folder of [dir, dataDir])
    await expect(setPayout({ dataDir: folder, address: A })).rejects.toMatchObject({
      code: "DATA_DIR_EMPTY",
    });
  expect(await readdir(dir)).toEqual([]);
});

test("F16 an own record that is damaged or another's is refused, and the message says what to do", async () => {
  await (await openStore(dataDir, { run, log: silentLog })).close();
  const stranger = await signPayout({ v: 1, run, author, address: A, sequence: 1 }, key);
  for (const content of ["{", "null", payoutText(stranger)]) {
    await writeFile(join(dataDir, "payout.json"), content);
    await expect(readOwnPayout(dataDir)).rejects.toThrow(/expected the signed payout record.*remove it/s);
    await expect(setPayout({ dataDir, address: B })).rejects.toMatchObject({
      code: "PAYOUT_DAMAGED",
    });
    expect(await readFile(join(dataDir, "payout.json"), "utf8")).toBe(content);
  }
});

test("R9 F16 others' records come as files or folders; each one that does not hold gets a verdict", async () => {
  const record = await signPayout({ v: 1, run, author, address: A, sequence: 1 }, key);
  await write("a.json", payoutText(record));
  await write("b.json", payoutText({ ...record, address: B }));
  await write("c.json", "no json");
  await write("d.json", payoutText(record).padEnd(5000));
  await write("notes.txt", "not looked at");
  const read = await readPayoutFiles([dir], run);
  expect(
    read.map(({ path, verdict }) => [path.slice(dir.length + 1), verdict.kind === "accept" || verdict.code]),
  ).toEqual([
    ["a.json", true],
    ["b.json", "PAYOUT_SIGNATURE"],
    ["c.json", "PAYOUT_MALFORMED"],
    ["d.json", "PAYOUT_MALFORMED"],
  ]);
  expect((await readPayoutFiles([join(dir, "a.json")], run)).map(({ verdict }) => verdict.kind)).toEqual([
    "accept",
  ]);
  await expect(readPayoutFiles([join(dir, "none")], run)).rejects.toMatchObject({
    code: "PAYOUTS_UNREADABLE",
  });
});

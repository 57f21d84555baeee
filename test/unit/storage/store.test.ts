import { chmod, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateKeyPair, privateKeyToProtobuf } from "@libp2p/crypto/keys";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { expect, test } from "vitest";
import { silentLog } from "../../../src/core/index.ts";
import { openStore } from "../../../src/storage/index.ts";
import { flipByte, recordingLog, runNamed, temporaryDir, temporaryStore } from "./support.ts";

test("a data folder is made with its parents, and keeps its key, run and datastore", async () => {
  const dir = join(await temporaryDir(), "a", "b");
  const run = runNamed("run");
  const first = await openStore(dir, { log: silentLog });
  expect(first.run()).toBeUndefined();
  await first.bindRun(run);
  await first.datastore.db.put("/peers/x", Uint8Array.of(1, 2, 3));
  await first.close();

  const second = await temporaryStore(dir);
  expect(second.dir).toBe(dir);
  expect(second.key.type).toBe("Ed25519");
  expect(second.peerId).toBe(first.peerId);
  expect(second.peerId).toBe(peerIdFromPrivateKey(second.key).toString());
  expect(second.run()).toBe(run);
  expect([...((await second.datastore.db.get("/peers/x")) ?? [])]).toEqual([1, 2, 3]);
  expect(await readFile(join(dir, "format"), "utf8")).toBe("1\n");
});

test("two folders are two peers", async () => {
  const [a, b] = [await temporaryStore(), await temporaryStore()];
  expect(a.peerId).not.toBe(b.peerId);
});

test("F7: a folder of another run is refused with both runs and what to do", async () => {
  const dir = await temporaryDir();
  const [mine, other] = [runNamed("mine"), runNamed("other")];
  const store = await openStore(dir, { run: mine, log: silentLog });
  await store.bindRun(mine);
  await expect(store.bindRun(other)).rejects.toMatchObject({
    code: "DATA_DIR_OTHER_RUN",
    message: expect.stringMatching(new RegExp(`${other}.*${mine}.*folder of its own`)),
  });
  expect(store.run()).toBe(mine);
  await store.close();
  await expect(openStore(dir, { run: other, log: silentLog })).rejects.toMatchObject({
    code: "DATA_DIR_OTHER_RUN",
  });
  // The refused one has let the folder go again.
  expect((await temporaryStore(dir)).run()).toBe(mine);
});

test("of two runs at the same moment only one gets the folder", async () => {
  const store = await temporaryStore();
  const outcomes = await Promise.allSettled([store.bindRun(runNamed("a")), store.bindRun(runNamed("b"))]);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(["fulfilled", "rejected"]);
  expect(await readFile(join(store.dir, "run"), "utf8")).toBe(`${runNamed("a")}\n`);
});

test("a folder is free again after close, and closing twice does not take it from the next", async () => {
  const dir = await temporaryDir();
  const first = await openStore(dir, { log: silentLog });
  await first.close();
  const second = await temporaryStore(dir);
  await first.close();
  expect(await readFile(join(dir, "lock"), "utf8")).toBe(`${process.pid}\n`);
  await expect(openStore(dir, { log: silentLog })).rejects.toMatchObject({ code: "DATA_DIR_IN_USE" });
  await second.close();
  await expect(stat(join(dir, "lock"))).rejects.toMatchObject({ code: "ENOENT" });
});

test.each(["below a file", "/proc"])(
  "F7: an unwritable folder (%s) is refused with its path",
  async (where) => {
    const parent = where === "/proc" ? "/proc" : join(await temporaryDir(), "file");
    if (where !== "/proc") await writeFile(parent, "");
    const dir = join(parent, "data");
    await expect(openStore(dir, { log: silentLog })).rejects.toMatchObject({
      code: "DATA_DIR_UNWRITABLE",
      message: expect.stringMatching(new RegExp(`${dir}.*(another folder)`)),
    });
  },
);

test("F7: a folder that is a file is refused", async () => {
  const path = join(await temporaryDir(), "file");
  await writeFile(path, "");
  await expect(openStore(path, { log: silentLog })).rejects.toMatchObject({ code: "DATA_DIR_UNWRITABLE" });
});

test("F7: a folder of a newer program is refused, and left alone", async () => {
  const dir = await temporaryDir();
  await writeFile(join(dir, "format"), "2\n");
  await expect(openStore(dir, { log: silentLog })).rejects.toMatchObject({
    code: "DATA_DIR_NEWER",
    message: expect.stringMatching(/format 1, got 2.*update/),
  });
  expect(await readFile(join(dir, "format"), "utf8")).toBe("2\n");
  await expect(stat(join(dir, "key"))).rejects.toMatchObject({ code: "ENOENT" });
});

test.each([
  ["format", "one\n"],
  ["format", ""],
  ["run", "not a cid\n"],
])("a damaged %s file (%j) is named", async (file, text) => {
  const dir = await temporaryDir();
  await (await openStore(dir, { log: silentLog })).close();
  await writeFile(join(dir, file), text);
  await expect(openStore(dir, { log: silentLog })).rejects.toMatchObject({
    code: "DATA_DIR_DAMAGED",
    message: expect.stringContaining(join(dir, file)),
  });
});

test("a damaged database is named, and can be moved away", async () => {
  const dir = await temporaryDir();
  const { peerId, ...first } = await openStore(dir, { log: silentLog });
  await first.close();
  for (const database of ["contributions", "peers"]) {
    await writeFile(join(dir, database, "CURRENT"), "MANIFEST-999999\n");
    await expect(openStore(dir, { log: silentLog })).rejects.toMatchObject({
      code: "DATA_DIR_DAMAGED",
      message: expect.stringContaining(join(dir, database)),
    });
    await rm(join(dir, database), { recursive: true });
  }
  expect((await temporaryStore(dir)).peerId).toBe(peerId);
});

test("the key is for its owner only; a wider one is closed, with a warning", async () => {
  const dir = await temporaryDir();
  const first = await openStore(dir, { log: silentLog });
  await first.close();
  const path = join(dir, "key");
  expect((await stat(path)).mode & 0o777).toBe(0o600);

  await chmod(path, 0o644);
  const { log, warnings } = recordingLog();
  const second = await temporaryStore(dir, log);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(warnings).toEqual(["the key file was open to other users; closed to them now"]);
  expect(second.peerId).toBe(first.peerId);
});

test("F7: every damaged byte of the key is noticed; it is never used half", async () => {
  const dir = await temporaryDir();
  await (await openStore(dir, { log: silentLog })).close();
  const path = join(dir, "key");
  const whole = await readFile(path);
  for (let at = 0; at < whole.length; at += 1) {
    await flipByte(path, at);
    const refusal = await openStore(dir, { log: silentLog }).then(
      (store) => store.close(),
      (error: unknown) => error,
    );
    expect(refusal, `byte ${at}`).toMatchObject({
      code: "KEY_INVALID",
      message: expect.stringContaining(path),
    });
    await writeFile(path, whole);
  }
});

test("F7: a key of another kind is refused", async () => {
  const dir = await temporaryDir();
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, "key"), privateKeyToProtobuf(await generateKeyPair("secp256k1")), {
    mode: 0o600,
  });
  await expect(openStore(dir, { log: silentLog })).rejects.toMatchObject({ code: "KEY_INVALID" });
});

test("what a killed process left half written is removed when the folder is opened", async () => {
  const dir = await temporaryDir();
  await (await openStore(dir, { log: silentLog })).close();
  for (const each of ["tmp", "states/tmp", "checkpoints/tmp"]) {
    await mkdir(join(dir, each, "half"), { recursive: true });
    await writeFile(join(dir, each, "half", "file"), "half");
  }
  await temporaryStore(dir);
  for (const each of ["tmp", "states/tmp", "checkpoints/tmp"])
    await expect(stat(join(dir, each, "half"))).rejects.toMatchObject({ code: "ENOENT" });
});

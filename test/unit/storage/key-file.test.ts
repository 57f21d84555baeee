import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exportKey, importKey } from "../../../src/storage/index.ts";
import { flipByte, temporaryDir, temporaryStore } from "./support.ts";

test("S12 an identity goes through a file to another folder; files are 0600", async () => {
  const dir = await temporaryDir();
  const [first, second, file] = [join(dir, "a"), join(dir, "b"), join(dir, "me.key")];
  const store = await temporaryStore(first);
  expect(await exportKey(first, file)).toBe(store.peerId);
  expect(await importKey(second, file)).toBe(store.peerId);
  // A second time changes nothing.
  expect(await importKey(second, file)).toBe(store.peerId);
  expect((await temporaryStore(second)).peerId).toBe(store.peerId);
  for (const path of [file, join(first, "key"), join(second, "key")])
    expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("S12 no key is ever written over, and no damaged one is taken", async () => {
  const dir = await temporaryDir();
  const [first, second, file] = [join(dir, "a"), join(dir, "b"), join(dir, "me.key")];
  await temporaryStore(first);
  const { peerId } = await temporaryStore(second);
  await exportKey(first, file);
  await expect(exportKey(second, file)).rejects.toMatchObject({ code: "FILE_EXISTS" });
  await expect(importKey(second, file)).rejects.toMatchObject({ code: "KEY_EXISTS" });
  await expect(importKey(second, file)).rejects.toThrow(peerId);
  await expect(importKey(join(dir, "c"), join(dir, "none"))).rejects.toMatchObject({
    code: "FILE_NOT_FOUND",
  });
  await expect(exportKey(join(dir, "c"), join(dir, "d"))).rejects.toMatchObject({ code: "KEY_MISSING" });
  await flipByte(file, 10);
  await expect(importKey(join(dir, "c"), file)).rejects.toMatchObject({ code: "KEY_INVALID" });
  await writeFile(file, "");
  await expect(importKey(join(dir, "c"), file)).rejects.toMatchObject({ code: "KEY_INVALID" });
});

import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readFiles, writeFiles } from "../../../src/storage/index.ts";
import { randomBytes, temporaryDir } from "./support.ts";

test("files are written into a new folder, read back, replaced, and nothing else is left", async () => {
  const dir = join(await temporaryDir(), "out", "model");
  const files = new Map([
    ["config.json", Buffer.from("{}")],
    ["model.safetensors", randomBytes(2_000_000, "model")],
  ]);
  await writeFiles(dir, files);
  await writeFiles(dir, new Map([["config.json", Buffer.from("[1]")]]));
  const read = await readFiles(dir, ["config.json", "model.safetensors"]);
  expect(Buffer.from(read.get("config.json") as Uint8Array).toString()).toBe("[1]");
  expect(
    Buffer.compare(read.get("model.safetensors") as Uint8Array, files.get("model.safetensors") as Uint8Array),
  ).toBe(0);
  expect((await readdir(dir)).sort()).toEqual(["config.json", "model.safetensors"]);
});

test("F7: a missing file is named, with the folder", async () => {
  const dir = await temporaryDir();
  await expect(readFiles(dir, ["config.json"])).rejects.toMatchObject({
    code: "FILE_NOT_FOUND",
    message: expect.stringMatching(new RegExp(`config.json.*${dir}`)),
  });
});

test("F7: a folder that can't be written is named", async () => {
  const file = join(await temporaryDir(), "file");
  await writeFile(file, "");
  for (const dir of [file, join(file, "below"), "/proc/starling"])
    await expect(writeFiles(dir, new Map([["a", new Uint8Array(1)]])), dir).rejects.toMatchObject({
      code: "DISK_WRITE_FAILED",
      message: expect.stringContaining(dir),
    });
});

test("a name that would leave the folder is a bug", async () => {
  await expect(writeFiles("/nowhere", new Map([["../a", new Uint8Array(1)]]))).rejects.toThrow("file name");
});

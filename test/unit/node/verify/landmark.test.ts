/** R8: how far a folder was checked is kept in it, and believed only when it is whole and of this run. */
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { silentLog } from "../../../../src/core/index.ts";
import { type LandmarkStore, openLandmarks } from "../../../../src/node/verify/landmark.ts";
import { digestOfText, runIdOf } from "../../../support/run-of.ts";

async function temporaryDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "landmark-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

function open(dir: string, run = "landmark", phase = 0): LandmarkStore {
  return openLandmarks(dir, { run: runIdOf(run), phase, log: silentLog });
}

const landmark = { round: 7, root: digestOfText("root"), weights: Int32Array.of(1, -2, 3) };

test("R8 a landmark is what was saved last", async () => {
  const dir = await temporaryDir();
  expect(await open(dir).load()).toBeUndefined();
  await open(dir).save({ ...landmark, round: 6 });
  await open(dir).save(landmark);
  expect(await open(dir).load()).toEqual(landmark);
});

test("R8 a landmark of another run or phase is none", async () => {
  const dir = await temporaryDir();
  await open(dir).save(landmark);
  expect(await open(dir, "another").load()).toBeUndefined();
  expect(await open(dir, "landmark", 1).load()).toBeUndefined();
});

test("R8 a landmark of which any byte was flipped is none", async () => {
  const dir = await temporaryDir();
  await open(dir).save(landmark);
  const [folder] = (await readdir(join(dir, "verified"))).filter((name) => name !== "tmp");
  for (const name of await readdir(join(dir, "verified", folder))) {
    const path = join(dir, "verified", folder, name);
    const bytes = await readFile(path);
    for (let at = 0; at < bytes.length; at += 5) {
      const wrong = Uint8Array.from(bytes);
      wrong[at] ^= 1;
      await writeFile(path, wrong);
      expect(await open(dir).load(), `${name} ${at}`).toBeUndefined();
    }
    await writeFile(path, bytes);
  }
  expect(await open(dir).load()).toEqual(landmark);
});

/** N5: which weights a text is written with while newer ones come. */
import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunId, silentLog } from "../../../../src/core/index.ts";
import { openSource } from "../../../../src/node/serve/model-source.ts";
import { Shelf } from "../../../../src/node/serve/shelf.ts";
import { drawTokens } from "../../../../src/trainer/index.ts";
import { TemporaryFolder, saveCheckpoint, writeRunFolder } from "../../../support/model-folders.ts";

let folder: TemporaryFolder;
let dir: string;
let run: RunId;

beforeAll(async () => {
  folder = await TemporaryFolder.create();
  dir = folder.path("data");
  await writeFile(folder.path("text.txt"), "Call me Ishmael. ".repeat(300));
  run = await writeRunFolder(dir, folder.path("text.txt"));
});
afterAll(async () => folder[Symbol.asyncDispose]());

const OPTIONS = { tokensMax: 20, temperature: 1, topP: 1, seed: "1", endTokens: new Set<number>() };

async function tokensOf(tokens: AsyncGenerator<number>): Promise<number[]> {
  const all: number[] = [];
  for await (const token of tokens) all.push(token);
  return all;
}

test("N5: a newer checkpoint is taken up for new texts; one under way goes on with its own; memory holds two", async () => {
  const place = { kind: "data", dir } as const;
  const shelf = new Shelf({ place, threads: 1, chatTemplate: null }, await openSource(place, silentLog));
  expect(await shelf.refresh(), "nothing has settled").toBeNull();

  const first = await saveCheckpoint(dir, run, 8);
  expect(await shelf.refresh()).toMatchObject({
    fingerprint: `0-8-${first.slice(0, 16)}`,
    origin: { run, round: 8 },
  });
  expect(await shelf.refresh(), "the same again").toBeNull();
  const old = shelf.newest;
  if (old === undefined) throw new Error("expected a model");
  const alone = await tokensOf(drawTokens(old.decoder(), [1, 2, 3], OPTIONS));
  old.release();

  const underWay = drawTokens(old.decoder(), [1, 2, 3], OPTIONS);
  const begun = [(await underWay.next()).value];
  await saveCheckpoint(dir, run, 16);
  expect(await shelf.refresh()).toMatchObject({ origin: { round: 16 } });
  const newer = await tokensOf(drawTokens((shelf.newest as typeof old).decoder(), [1, 2, 3], OPTIONS));
  shelf.newest?.release();
  expect(newer).not.toEqual(alone);

  await saveCheckpoint(dir, run, 24);
  expect(await shelf.refresh(), "two sets of weights are in use").toBeNull();
  expect([...begun, ...(await tokensOf(underWay))], "its own weights to its end").toEqual(alone);
  old.release();
  expect(await shelf.refresh()).toMatchObject({ origin: { round: 24 } });
  await shelf.close();
});

test("N5: a folder that no node has run on is refused", async () => {
  await expect(openSource({ kind: "data", dir: folder.path("none") }, silentLog)).rejects.toMatchObject({
    code: "DATA_DIR_EMPTY",
  });
});

import { readdir, readFile, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BLOCK_BYTES, digestOf } from "../../../src/core/index.ts";
import { rootsOf } from "../../../src/node/learner/state-root.ts";
import { type CheckpointMeta, openStates } from "../../../src/storage/index.ts";
import {
  filesBelow,
  flipByte,
  randomBytes,
  recordingLog,
  runNamed,
  temporaryDir,
  temporaryStore,
} from "./support.ts";

function parts(seed: string): Map<string, Uint8Array> {
  return new Map([
    ["moments.m", randomBytes(4000, `${seed}/m`)],
    ["moments.v", randomBytes(4000, `${seed}/v`)],
    ["residual", new Uint8Array(0)],
  ]);
}

function meta(round: number): CheckpointMeta {
  return {
    run: runNamed("run"),
    phase: 0,
    round,
    root: digestOf(Buffer.from(`root ${round}`)),
    weightsRoot: digestOf(Buffer.from(`weights ${round}`)),
    accounts: { alice: 3, bob: 2 },
  };
}

test("a state comes back part by part, after a restart too, ready to be viewed as floats", async () => {
  const dir = await temporaryDir();
  const first = await temporaryStore(dir);
  await first.states.save({ phase: 0, round: 7 }, parts("a"));
  await first.close();
  const { states } = await temporaryStore(dir);
  const loaded = await states.load({ phase: 0, round: 7 });
  expect(loaded).toEqual(parts("a"));
  const m = loaded?.get("moments.m") as Uint8Array;
  expect([m.byteOffset, m.buffer.byteLength]).toEqual([0, 4000]);
  expect(await states.load({ phase: 0, round: 8 })).toBeUndefined();
  expect(await states.load({ phase: 1, round: 7 })).toBeUndefined();
});

test("a state of several blocks and an odd end comes back", async () => {
  const { states } = await temporaryStore();
  const bytes = randomBytes(3 * BLOCK_BYTES + 13, "large");
  await states.save({ phase: 0, round: 0 }, new Map([["m", bytes]]));
  const loaded = (await states.load({ phase: 0, round: 0 }))?.get("m") as Uint8Array;
  expect(Buffer.compare(loaded, bytes)).toBe(0);
});

test("the two rounds saved last are kept, even when their numbers are lower", async () => {
  const { states, dir } = await temporaryStore();
  for (const round of [8, 9, 10, 3, 4]) await states.save({ phase: 0, round }, parts(String(round)));
  expect(await states.list()).toEqual([
    { phase: 0, round: 4 },
    { phase: 0, round: 3 },
  ]);
  expect(await states.load({ phase: 0, round: 10 })).toBeUndefined();
  expect((await readdir(join(dir, "states"))).sort()).toEqual(["0-3-4", "0-4-5", "tmp"]);
  expect(await readdir(join(dir, "states/tmp"))).toEqual([]);
});

test("a round saved again is replaced, and takes no other round's place", async () => {
  const { states } = await temporaryStore();
  await states.save({ phase: 0, round: 1 }, parts("1"));
  for (const seed of ["2 a", "2 b", "2 c"]) await states.save({ phase: 0, round: 2 }, parts(seed));
  expect(await states.load({ phase: 0, round: 2 })).toEqual(parts("2 c"));
  expect(await states.load({ phase: 0, round: 1 })).toEqual(parts("1"));
});

test("S4 S7 a state that need not outlive the machine yet is there at once, and what it replaces stays until it does", async () => {
  const { states } = await temporaryStore();
  const rounds = async (): Promise<number[]> => (await states.list()).map(({ round }) => round);
  for (const round of [1, 2, 3]) await states.save({ phase: 0, round }, parts(String(round)));
  const roots = await states.save({ phase: 0, round: 4 }, parts("4"), { durable: false });
  expect(roots).toEqual(rootsOf(parts("4")));
  expect(await states.load({ phase: 0, round: 4 })).toEqual(parts("4"));
  expect(await rounds()).toEqual([4, 3, 2]);
  await states.sync();
  expect(await rounds()).toEqual([4, 3]);
  // Who never asks for it has it with the next one.
  for (const round of [5, 6, 7]) await states.save({ phase: 0, round }, parts("5"), { durable: false });
  expect(await rounds()).toEqual([7, 6, 5]);
});

test("saves and loads at the same moment go one after the other", async () => {
  const { log, warnings } = recordingLog();
  const { states } = await temporaryStore(undefined, log);
  const rounds = [1, 2, 3, 4, 5, 6];
  const loads = rounds.map(async (round) => {
    const saved = states.save({ phase: 0, round }, parts(String(round)));
    const loaded = states.load({ phase: 0, round });
    await saved;
    return loaded;
  });
  expect(await Promise.all(loads)).toEqual(rounds.map((round) => parts(String(round))));
  expect(warnings).toEqual([]);
});

test("a thread of its own opens the states of a held folder, and sees what the store sees", async () => {
  const store = await temporaryStore();
  const states = openStates(join(store.dir, "states"), { keep: 1 });
  expect(await states.list()).toEqual([]);
  await states.save({ phase: 0, round: 1 }, parts("1"));
  await states.save({ phase: 0, round: 2 }, parts("2"));
  expect(await store.states.list()).toEqual([{ phase: 0, round: 2 }]);
  expect(await store.states.load({ phase: 0, round: 2 })).toEqual(parts("2"));
});

test("F16: a flipped byte anywhere in a state file or its seal is noticed", async () => {
  const { log, warnings } = recordingLog();
  const { states, dir } = await temporaryStore(undefined, log);
  await states.save({ phase: 0, round: 1 }, new Map([["m", randomBytes(40, "m")]]));
  let flips = 0;
  for (const path of await filesBelow(join(dir, "states"))) {
    const { length } = await readFile(path);
    for (let at = 0; at < length; at += 1) {
      await flipByte(path, at);
      const loaded = await states.load({ phase: 0, round: 1 });
      expect(loaded, `${path} at ${at}`).toBeUndefined();
      await flipByte(path, at);
      flips += 1;
    }
  }
  expect(flips).toBeGreaterThan(100);
  expect(warnings).toHaveLength(flips);
  expect(await states.load({ phase: 0, round: 1 })).toBeDefined();
});

test.each(["missing", "cut short"])("F16: a state with a part %s is not there", async (how) => {
  const { log, warnings } = recordingLog();
  const { states, dir } = await temporaryStore(undefined, log);
  await states.save({ phase: 0, round: 1 }, parts("1"));
  const path = join(dir, "states", "0-1-1", "moments.v");
  await (how === "missing" ? rm(path) : truncate(path, 3999));
  expect(await states.load({ phase: 0, round: 1 })).toBeUndefined();
  expect(warnings).toEqual(["a saved file is missing or differs from its checksum; not used"]);
});

test("a part whose name would leave the folder is a bug", async () => {
  const { states } = await temporaryStore();
  for (const name of ["../m", "a/b", ".hidden", "", "seal.json"])
    expect(() => states.save({ phase: 0, round: 1 }, new Map([[name, new Uint8Array(1)]])), name).toThrow();
});

test("the newest checkpoint comes back with its meta, after a restart too", async () => {
  const dir = await temporaryDir();
  const first = await temporaryStore(dir);
  expect(await first.checkpoints.latest()).toBeUndefined();
  for (const round of [16, 32, 48])
    await first.checkpoints.save(meta(round), randomBytes(5000, String(round)));
  await first.close();
  const { checkpoints } = await temporaryStore(dir);
  expect(await checkpoints.latest()).toEqual({ meta: meta(48), weights: randomBytes(5000, "48") });
  const names = await readdir(join(dir, "checkpoints"));
  expect(names.filter((name) => name !== "tmp").sort()).toEqual(["0-32-2", "0-48-3"]);
  expect((await readdir(join(dir, "checkpoints", "0-48-3"))).sort()).toEqual([
    "meta.json",
    "seal.json",
    "weights.bin",
  ]);
});

test.each(["weights.bin", "meta.json", "seal.json"])(
  "F16: after a flipped byte in %s the checkpoint before is used",
  async (file) => {
    const { log, warnings } = recordingLog();
    const { checkpoints, dir } = await temporaryStore(undefined, log);
    for (const round of [16, 32]) await checkpoints.save(meta(round), randomBytes(5000, String(round)));
    await flipByte(join(dir, "checkpoints", "0-32-2", file), 50);
    expect(await checkpoints.latest()).toEqual({ meta: meta(16), weights: randomBytes(5000, "16") });
    expect(warnings).toHaveLength(1);
  },
);

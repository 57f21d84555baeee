import { encode } from "@ipld/dag-cbor";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DAG_CBOR, RAW, StarlingError, cidOf } from "../../../src/core/index.ts";
import {
  draftManifest,
  presetNames,
  readManifestFile,
  runIdOf,
  writeManifestFile,
} from "../../../src/node/index.ts";
import { decodeManifest, encodeManifest, parseManifest } from "../../../src/node/run/manifest.ts";

const DATA = { data: [cidOf(new TextEncoder().encode("text"), RAW)] };
const good = draftManifest({ preset: "tiny", name: "book.txt", startPeers: 2 }, DATA);

/** The manifest with one value changed, wherever it is. */
function changed(path: readonly (string | number)[], value: unknown): unknown {
  const copy = structuredClone(good) as unknown;
  let at = copy as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  at[path.at(-1) as string] = value;
  return copy;
}

function messageFor(value: unknown): string {
  try {
    parseManifest(value);
  } catch (error) {
    expect(error).toBeInstanceOf(StarlingError);
    expect((error as StarlingError).code).toBe("MANIFEST_INVALID");
    return (error as StarlingError).message;
  }
  return "accepted";
}

test("a manifest survives its file and its block, and keeps its name", async () => {
  const dir = await mkdtemp(join(tmpdir(), "manifest-"));
  try {
    const path = join(dir, "run.json");
    await writeManifestFile(path, good);
    const read = await readManifestFile(path);
    expect(runIdOf(read)).toBe(runIdOf(good));
    expect(decodeManifest(encodeManifest(read))).toEqual(good);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test("every preset makes a valid manifest, and a change of anything another run", () => {
  for (const preset of presetNames) draftManifest({ preset, name: "book.txt" }, DATA);
  const other = parseManifest(changed(["seed"], "2"));
  expect(runIdOf(other)).not.toBe(runIdOf(good));
});

test("E2: the last part of a phase has its own codec, however short the phase is", () => {
  const codecsOf = (rounds: number): number[][] =>
    draftManifest({ preset: "lab", rounds, startPeers: 8 }, DATA).phases.map(({ codec, tokensBudget }) =>
      codec.map(({ fromTokens }) => fromTokens / tokensBudget),
    );
  for (const stages of codecsOf(300)) {
    expect(stages).toHaveLength(3);
    expect(stages[2]).toBeCloseTo(0.9, 5);
  }
  for (const stages of codecsOf(3)) expect(stages).toHaveLength(2);
});

test("E2: nobody trains on top of more than is carried on", () => {
  expect(messageFor(changed(["phases", 0, "residualInStart"], 0.5))).toBe("accepted");
  const more = changed(["phases", 0, "residualBeta"], 0.4) as typeof good;
  expect(messageFor({ ...more, phases: [{ ...more.phases[0], residualInStart: 0.5 }] })).toContain(
    "residualInStart",
  );
});

test("R9 credits are part of the run's name, and a manifest from before there were any keeps its name", () => {
  const [phase] = good.phases;
  const { credits, ...older } = phase!;
  expect(credits).toEqual({ perToken: 1 });
  const block = encode({ ...good, phases: [older] });
  expect(runIdOf(decodeManifest(block))).toBe(cidOf(block, DAG_CBOR));
  const dearer = parseManifest(changed(["phases", 0, "credits", "perToken"], 2));
  expect(new Set([dearer, good, decodeManifest(block)].map(runIdOf)).size).toBe(3);
});

test.each([
  ["an unknown key", ["coordinator"], "http://example.org", /coordinator/],
  ["an unknown key inside a phase", ["phases", 0, "rule", "leader"], 1, /leader/],
  ["a wrong type", ["phases", 0, "batch", "sequences"], "eight", /phases\[0\]\.batch\.sequences/],
  ["no context", ["phases", 0, "model", "contextLength"], 0, /contextLength/],
  ["an impossible size", ["phases", 0, "model", "hiddenSize"], 10 ** 9, /hiddenSize/],
  ["heads that do not fit", ["phases", 0, "model", "headsCount"], 5, /headsCount.*|.*headsCount/s],
  ["no data", ["data"], [], /data/],
  ["data that is no CID", ["data", 0], "the text", /data\[0\]/],
  ["a tokenizer that is no CID", ["tokenizer"], "gpt2", /tokenizer/],
  ["start weights that are no CID", ["start"], "weights", /start/],
  ["bits that the codec lacks", ["phases", 0, "codec", 0, "valueBits"], 3, /valueBits/],
  ["a codec schedule that begins late", ["phases", 0, "codec", 0, "fromTokens"], 1, /fromTokens 0 and grow/],
  ["a budget of nothing", ["phases", 0, "tokensBudget"], 0, /tokensBudget/],
  ["a learning rate that is no number", ["phases", 0, "optimizer", "lrMax"], Number.NaN, /lrMax/],
  ["another vocabulary", ["phases", 0, "model", "vocabSize"], 50_257, /256/],
  ["credits by the half", ["phases", 0, "credits"], { perToken: 0.5 }, /credits\.perToken/],
  ["an unknown credit rule", ["phases", 0, "credits"], { perRound: 7 }, /credits/],
  ["no phases", ["phases"], [], /phases/],
  ["a founder that nobody can be", ["founders"], ["ada"], /founders\[0\]/],
  ["a context that the model does not have", ["phases", 0, "batch", "contextLength"], 16, /contextLength/],
  ["claims too large to be counted", ["phases", 0, "batch", "stepsMax"], 100_000_000, /stepsMax/],
  ["another version", ["v"], 2, /v/],
] as const)("F16 a manifest with %s is refused, and the message names it", (_, path, value, names) => {
  expect(messageFor(changed(path, value))).toMatch(names);
});

test("R7 voting weights that a double could not hold are refused", () => {
  const rule = { ...good.phases[0].rule, membersMax: 1024, weightWindow: 4096 };
  const batch = { sequences: 4096, stepsPerRound: 1, stepsMax: 32 };
  const phase = { ...good.phases[0], rule, batch };
  // 32 tokens of context: 2^5 * 2^12 * 2^5 * 2^12 * 2^10 = 2^44.
  expect(messageFor({ ...good, phases: [phase] })).toBe("accepted");
  const above = { ...phase, batch: { ...batch, stepsMax: 33 } };
  expect(messageFor({ ...good, phases: [above] })).toMatch(/stepsMax/);
});

test("R7 a run has one block: without a default, or with a number written otherwise, it is refused", () => {
  const { graceShare: _, ...rule } = good.phases[0].rule;
  const shorter = encode({ ...good, phases: [{ ...good.phases[0], rule }] });
  expect(() => decodeManifest(shorter)).toThrow(/canonical/);
  // v, which is 1, in two bytes instead of one.
  const block = Buffer.from(encodeManifest(good));
  const at = block.indexOf("av") + 2;
  const longer = Uint8Array.of(...block.subarray(0, at), 0x18, 1, ...block.subarray(at + 1));
  expect(() => decodeManifest(longer)).toThrow(/DAG-CBOR|canonical/);
});

test("F16 what is no manifest at all is refused with what to do", async () => {
  for (const value of [null, 7, "run", []]) expect(messageFor(value)).not.toBe("accepted");
  expect(() => decodeManifest(Uint8Array.of(0xff, 0x00))).toThrow(/expected DAG-CBOR/);
  const dir = await mkdtemp(join(tmpdir(), "manifest-"));
  try {
    await writeFile(join(dir, "run.json"), "{");
    await expect(readManifestFile(join(dir, "run.json"))).rejects.toThrow(
      /expected a manifest in JSON.*starling init/s,
    );
    await expect(readManifestFile(join(dir, "absent.json"))).rejects.toThrow(/absent\.json/);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test("F16 an unknown preset is refused with the ones there are", () => {
  expect(() => draftManifest({ preset: "eagle", name: "book.txt" }, DATA)).toThrow(
    /flight, tiny, flight-school.*eagle/,
  );
});

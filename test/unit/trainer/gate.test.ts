import { expect, test } from "vitest";
import { type DeltaReader, encodeDelta, openDelta } from "../../../src/codec/index.ts";
import { SeededRandom, fromFixed } from "../../../src/core/index.ts";
import { type OwnRound, lookAt } from "../../../src/trainer/gate/look.ts";
import { drawSample } from "../../../src/trainer/gate/sample.ts";
import { type Sketch, likeness } from "../../../src/trainer/gate/sketch.ts";
import { type Candidate, GATES_DEFAULT, Gates } from "../../../src/trainer/index.ts";

const LENGTHS = [9000, 100];
const COUNT = 9100;

function noise(seed: string): Int32Array {
  const random = new SeededRandom(seed);
  return Int32Array.from({ length: COUNT }, () => random.below(2 ** 20) - 2 ** 19);
}

function deltaOf(vector: Int32Array, keepPerChunk: number): DeltaReader {
  const settings = { keepPerChunk, valueBits: 8 } as const;
  const opened = openDelta(encodeDelta(vector.slice(), LENGTHS, settings).bytes, LENGTHS, settings);
  if (opened.kind !== "accept") throw new Error(opened.detail);
  return opened.value;
}

test.each([4096, 64])("E4: with %i of 4096 kept, a delta points where its own vector points", (kept) => {
  const [a, b] = [noise("a"), noise("b")];
  expect(cosineOnSupport(deltaOf(a, kept), roundOf(a))).toBeGreaterThan(0.99);
  expect(cosineOnSupport(deltaOf(a, kept), roundOf(a.map((x) => -x)))).toBeLessThan(-0.99);
  expect(Math.abs(cosineOnSupport(deltaOf(a, kept), roundOf(b)))).toBeLessThan(0.3);
});

const whole = (): boolean => true;
function cosineOnSupport(delta: DeltaReader, round: OwnRound): number {
  return lookAt(delta, round, whole).cosine;
}
function sketchOf(delta: DeltaReader): Sketch {
  return lookAt(delta, roundOf(new Int32Array(COUNT)), whole).sketch;
}

/** A round that learned a vector, from 0. */
function roundOf(vector: Int32Array): OwnRound {
  return { start: new Int32Array(COUNT), end: Float32Array.from(vector, (x) => -fromFixed(x)) };
}

/** `share` of one vector and the rest of another: cosine share / sqrt(share^2 + (1 - share)^2) with the first. */
function mixture(a: Int32Array, b: Int32Array, share: number): Int32Array {
  return a.map((x, i) => Math.round(share * x + (1 - share) * (b[i] as number)));
}

test.each([0, 0.3, 0.5, 0.9, 0.97, 1])(
  "E4: sketches of deltas that share %d of their work are as alike as the deltas",
  (share) => {
    const [a, b] = [noise("a"), noise("b")];
    const cosine = share / Math.hypot(share, 1 - share);
    const like = likeness(sketchOf(deltaOf(a, 4096)), sketchOf(deltaOf(mixture(a, b, share), 4096)));
    // Four standard deviations, and what eight bits round.
    expect(Math.abs(like - cosine)).toBeLessThan((4 * (1 - cosine ** 2)) / Math.sqrt(512) + 0.002);
  },
);

test("E4: a delta at rest is like nothing", () => {
  const [zero, a] = [deltaOf(new Int32Array(COUNT), 4096), noise("a")];
  expect(cosineOnSupport(zero, roundOf(a))).toBe(0);
  expect(likeness(sketchOf(zero), sketchOf(deltaOf(a, 4096)))).toBe(0);
});

test("E4: a sample of the chunks says what all of them say, and each node draws its own", () => {
  const length = 128 * 4096;
  const random = new SeededRandom("large");
  const [common, other] = [0, 1].map(() =>
    Int32Array.from({ length }, () => random.below(2 ** 20) - 2 ** 19),
  );
  const mixed = (common as Int32Array).map((x, i) => (x + ((other as Int32Array)[i] as number)) >> 1);
  const settings = { keepPerChunk: 256, valueBits: 4 } as const;
  const opened = openDelta(encodeDelta(mixed, [length], settings).bytes, [length], settings);
  if (opened.kind !== "accept") throw new Error(opened.detail);
  const own = {
    start: new Int32Array(length),
    end: Float32Array.from(common as Int32Array, (x) => -fromFixed(x)),
  };
  const all = lookAt(opened.value, own, whole).cosine;
  const samples = ["one", "another"].map((secret) => drawSample(secret, length));
  for (const sample of samples)
    expect(Math.abs(lookAt(opened.value, own, sample).cosine - all)).toBeLessThan(0.05);
  const [one, another] = samples.map((sample) => Array.from({ length: 128 }, (_, i) => sample(i)));
  expect(one?.filter(Boolean).length).toBeLessThan(90);
  expect(one).not.toEqual(another);
});

/** What a peer learned: the same as all, and its own batches' pull. */
const common = noise("common");
function learned(peer: string): Int32Array {
  return mixture(common, noise(peer), 0.6);
}
const own = roundOf(learned("own"));

let heard = 0;
function candidate(id: string, vector: Int32Array, more: Partial<Candidate> = {}): Candidate {
  return { id, delta: deltaOf(vector, 4096), order: heard++, weight: 1, isOwn: false, ...more };
}

function refused(gates: Gates, round: number, candidates: readonly Candidate[]): Record<string, string> {
  const verdicts = [...gates.judge(round, candidates, own)];
  return Object.fromEntries(
    verdicts.flatMap(([id, verdict]) => (verdict.kind === "accept" ? [] : [[id, verdict.code]])),
  );
}

test("E4: what goes across from our work or nowhere is refused, honest work is not", () => {
  const honest = ["a", "b", "c"].map((id) => candidate(id, learned(id)));
  const flipped = candidate(
    "flipped",
    learned("x").map((value) => -value),
  );
  const lazy = candidate("lazy", new Int32Array(COUNT));
  const faint = candidate("faint", mixture(common, noise("y"), 0.12));
  const gates = new Gates(GATES_DEFAULT, "");
  expect(refused(gates, 3, [...honest, flipped, lazy, faint])).toEqual({
    flipped: "GATE_COSINE",
    lazy: "GATE_COSINE",
    faint: "GATE_COSINE",
  });
});

test("E4: who was heard of first did the work, in whatever order bodies come", () => {
  const gates = new Gates(GATES_DEFAULT, "");
  const original = candidate("original", learned("a"));
  const copy = candidate("copy", mixture(learned("a"), noise("z"), 0.95));
  expect(refused(gates, 3, [candidate("b", learned("b")), copy])).toEqual({});
  expect(refused(gates, 3, [original])).toEqual({ copy: "GATE_COPY" });
});

test("E4: work that history holds is not new work; what history left out is", () => {
  const gates = new Gates(GATES_DEFAULT, "");
  refused(gates, 3, [candidate("in", learned("a")), candidate("out", learned("b"))]);
  gates.include(["in"]);
  const again = [candidate("in again", learned("a")), candidate("out again", learned("b"))];
  expect(refused(gates, 4, again)).toEqual({ "in again": "GATE_REPLAY" });
});

test("E4: keys that weigh nothing don't move the bar; our own work always passes", () => {
  const strangers = Array.from({ length: 9 }, (_, i) =>
    candidate(`stranger ${i}`, mixture(common, noise(`s${i}`), 0.12), { weight: 0 }),
  );
  const honest = ["a", "b"].map((id) => candidate(id, learned(id)));
  const ours = candidate(
    "own",
    learned("own").map((value) => -value),
    { isOwn: true },
  );
  const gates = new Gates(GATES_DEFAULT, "");
  expect(Object.keys(refused(gates, 0, [...strangers, ...honest, ours]))).toEqual(
    strangers.map(({ id }) => id),
  );
});

import { expect, test } from "vitest";
import { type DeltaReader, encodeDelta, openDelta } from "../../../src/codec/index.ts";
import { SeededRandom } from "../../../src/core/index.ts";
import { cosineOf, cosineOnSupport } from "../../../src/trainer/index.ts";

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
  expect(cosineOnSupport(deltaOf(a, kept), a)).toBeGreaterThan(0.99);
  expect(
    cosineOnSupport(
      deltaOf(a, kept),
      a.map((x) => -x),
    ),
  ).toBeLessThan(-0.99);
  expect(Math.abs(cosineOnSupport(deltaOf(a, kept), b))).toBeLessThan(0.3);
});

test("E4: two deltas are compared over what both have", () => {
  const [a, b] = [deltaOf(noise("a"), 4096), deltaOf(noise("b"), 4096)];
  expect(cosineOf(a, deltaOf(noise("a"), 4096))).toBeCloseTo(1, 3);
  expect(Math.abs(cosineOf(a, b))).toBeLessThan(0.1);
});

test("E4: an empty delta is like nothing", () => {
  const [zero, a] = [deltaOf(new Int32Array(COUNT), 4096), noise("a")];
  expect(cosineOf(zero, deltaOf(a, 4096))).toBe(0);
  expect(cosineOnSupport(zero, a)).toBe(0);
});

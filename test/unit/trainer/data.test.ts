import fc from "fast-check";
import { expect, test } from "vitest";
import {
  assignedBatch,
  batchSchema,
  decodeTokens,
  encodeText,
  heldOutBatches,
  learningRate,
  optimizerSchema,
  splitHeldOut,
} from "../../../src/trainer/index.ts";

/** Bytes whose value tells their place, as long as there are at most 256. */
const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 256);

test("F15: assignedBatch draws the same windows again, and others for another seed or step", () => {
  const train = counting(200);
  const o = { seed: "root/3/author", step: 7, sequences: 5, contextLength: 8 };
  const batch = assignedBatch(train, o);
  expect(assignedBatch(train, o)).toEqual(batch);
  expect(assignedBatch(train, { ...o, step: 8 })).not.toEqual(batch);
  expect(assignedBatch(train, { ...o, seed: "root/3/other" })).not.toEqual(batch);
  expect([...batch.subarray(0, 9)]).toEqual(Array.from({ length: 9 }, (_, i) => (batch[0] as number) + i));
  // Golden: an audit on another machine must draw the same windows.
  expect([0, 9, 18, 27, 36].map((at) => batch[at])).toEqual([28, 29, 53, 133, 167]);
});

test("every window of assignedBatch is a part of the text, the first and the last included", () => {
  fc.assert(
    fc.property(fc.integer({ min: 9, max: 256 }), fc.string(), (length, seed) => {
      const batch = assignedBatch(counting(length), { seed, step: 0, sequences: 3, contextLength: 8 });
      for (let row = 0; row < 3; row++) {
        const first = batch[row * 9] as number;
        expect(first).toBeLessThanOrEqual(length - 9);
        for (let t = 0; t < 9; t++) expect(batch[row * 9 + t]).toBe(first + t);
      }
    }),
  );
  const firsts = new Set<number>();
  for (let step = 0; step < 200; step++) {
    firsts.add(assignedBatch(counting(12), { seed: "s", step, sequences: 1, contextLength: 8 })[0] as number);
  }
  expect([...firsts].sort((a, b) => a - b)).toEqual([0, 1, 2, 3]);
});

test("heldOutBatches spreads at most batchesMax batches from the first byte to the last", () => {
  const batches = heldOutBatches(counting(250), { sequences: 4, contextLength: 4, batchesMax: 3 });
  expect(batches.map((batch) => batch.length)).toEqual([20, 20, 20]);
  expect(batches[0]?.[0]).toBe(0);
  expect(batches[2]?.at(-1)).toBe(249);
  expect(heldOutBatches(counting(250), { sequences: 4, contextLength: 4, batchesMax: 3 })).toEqual(batches);
  expect(heldOutBatches(counting(45), { sequences: 4, contextLength: 4, batchesMax: 9 }).length).toBe(2);
  expect(heldOutBatches(counting(5), { sequences: 4, contextLength: 4, batchesMax: 9 }).length).toBe(1);
});

test("text shorter than one window is refused with what is missing", () => {
  const expected = expect.objectContaining({
    code: "DATA_TOO_SHORT",
    message: expect.stringContaining(
      "expected at least 9 bytes (one context and its last target), got 8",
    ) as string,
  }) as Error;
  const o = { sequences: 1, contextLength: 8 };
  expect(() => assignedBatch(counting(8), { ...o, seed: "s", step: 0 })).toThrow(expected);
  expect(() => heldOutBatches(counting(8), { ...o, batchesMax: 1 })).toThrow(expected);
});

test("splitHeldOut cuts off the end and loses nothing", () => {
  const { train, heldOut } = splitHeldOut(counting(101), 0.1);
  expect([train.length, heldOut.length]).toEqual([91, 10]);
  expect([...train, ...heldOut]).toEqual([...counting(101)]);
});

test("batchSchema refuses more steps per round than one may claim", () => {
  expect(batchSchema.parse({ sequences: 8, stepsPerRound: 20, stepsMax: 40 }).sequences).toBe(8);
  const issues = batchSchema.safeParse({ sequences: 8, stepsPerRound: 50, stepsMax: 40 }).error?.issues;
  expect(issues?.[0]?.message).toBe("expected stepsPerRound <= stepsMax 40, got 50");
});

test("any text comes back from its tokens", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(decodeTokens([...encodeText(text)])).toBe(text);
    }),
  );
});

test("the learning rate warms up from the floor to the top and falls on a cosine to the floor", () => {
  const o = optimizerSchema.parse({ lrMax: 1, lrMinShare: 0.1, warmupShare: 0.2 });
  const at = (share: number): number => learningRate(o, share * 1000, 1000);
  expect([0, 0.1, 0.2, 0.6, 1, 5].map((share) => Number(at(share).toFixed(6)))).toEqual([
    0.1, 0.55, 1, 0.55, 0.1, 0.1,
  ]);
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 2, noNaN: true }),
      fc.constantFrom(0, 0.02, 0.5, 1),
      (share, warmupShare) => {
        const lr = learningRate({ ...o, warmupShare }, share * 1e6, 1e6);
        expect(lr).toBeGreaterThanOrEqual(0.1 - 1e-12);
        expect(lr).toBeLessThanOrEqual(1);
      },
    ),
  );
});

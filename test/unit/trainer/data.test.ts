import fc from "fast-check";
import { expect, test } from "vitest";
import { RAW, cidOf } from "../../../src/core/index.ts";
import {
  type ShardName,
  type ShardSource,
  assignedBatch,
  assignedShard,
  batchSchema,
  heldOutBatches,
  learningRate,
  nextBatch,
  optimizerSchema,
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

/** Shards in memory, of the byte vocabulary. */
function sourceOf(o: { train?: Uint8Array[]; heldOut?: Uint8Array[] }): ShardSource {
  const bytes = new Map<string, Uint8Array>();
  const named = (shards: Uint8Array[] = []): ShardName[] =>
    shards.map((shard) => {
      const cid = cidOf(shard, RAW);
      bytes.set(cid, shard);
      return { cid, tokens: shard.length };
    });
  const lists = { train: named(o.train), heldOut: named(o.heldOut) };
  return { ...lists, read: ({ cid }) => Promise.resolve(bytes.get(cid) as Uint8Array) };
}

test("heldOutBatches spreads at most batchesMax batches from the first token to the last", async () => {
  const o = { sequences: 4, contextLength: 4, batchesMax: 3 };
  const whole = sourceOf({ heldOut: [counting(250)] });
  const batches = await heldOutBatches(whole, o);
  expect(batches.map((batch) => batch.length)).toEqual([20, 20, 20]);
  expect(batches[0]?.[0]).toBe(0);
  expect(batches[2]?.at(-1)).toBe(249);
  expect(await heldOutBatches(whole, o)).toEqual(batches);
  const short = async (length: number): Promise<number> =>
    (await heldOutBatches(sourceOf({ heldOut: [counting(length)] }), { ...o, batchesMax: 9 })).length;
  expect([await short(45), await short(5)]).toEqual([2, 1]);

  const cut = sourceOf({
    heldOut: [counting(250).subarray(0, 3), counting(250).subarray(3, 100), counting(250).subarray(100)],
  });
  const spread = await heldOutBatches(cut, o);
  expect(spread[0]?.[0]).toBe(3);
  expect(spread[2]?.at(-1)).toBe(249);
  for (const batch of spread)
    for (let i = 0; i < 20; i++) if (i % 5 > 0) expect(batch[i]).toBe((batch[i - 1] as number) + 1);
});

test("T9 a round reads one shard for about as many tokens as it holds, each as often as it has windows", async () => {
  const shards = [counting(256), counting(136), counting(8)].map((bytes, i) => ({
    cid: cidOf(bytes, RAW),
    tokens: bytes.length,
    i,
  }));
  const o = { sequences: 2, contextLength: 8 };
  const of = (seed: string, step: number): number =>
    shards.indexOf(assignedShard(shards, { ...o, seed, step }) as never);
  // 16 tokens a step: 16 steps a shard.
  for (let step = 1; step < 16; step++) expect(of("seed", step)).toBe(of("seed", 0));
  const counts = [0, 0, 0];
  for (let i = 0; i < 3000; i++) counts[of(`seed ${i}`, 16)] = (counts[of(`seed ${i}`, 16)] ?? 0) + 1;
  expect(counts[2]).toBe(0); // not one window
  expect((counts[0] as number) / 3000).toBeCloseTo(248 / (248 + 128), 1);
  expect(new Set(Array.from({ length: 20 }, (_, n) => of("seed", 16 * n))).size).toBe(2);
  const source = sourceOf({ train: [counting(200)] });
  const at = { ...o, seed: "s", step: 3 };
  expect(await nextBatch(source, at)).toEqual(assignedBatch(counting(200), at));
});

test("text shorter than one window is refused with what is missing", async () => {
  const expected = expect.objectContaining({
    code: "DATA_TOO_SHORT",
    message: expect.stringContaining(
      "expected at least 9 tokens in a shard (one context and its last target), got 8",
    ) as string,
  }) as Error;
  const o = { sequences: 1, contextLength: 8 };
  expect(() => assignedBatch(counting(8), { ...o, seed: "s", step: 0 })).toThrow(expected);
  await expect(nextBatch(sourceOf({ train: [counting(8)] }), { ...o, seed: "s", step: 0 })).rejects.toThrow(
    expected,
  );
  await expect(heldOutBatches(sourceOf({ heldOut: [counting(8)] }), { ...o, batchesMax: 1 })).rejects.toThrow(
    expected,
  );
});

test("batchSchema refuses more steps per round than one may claim", () => {
  expect(batchSchema.parse({ sequences: 8, stepsPerRound: 20, stepsMax: 40 }).sequences).toBe(8);
  const issues = batchSchema.safeParse({ sequences: 8, stepsPerRound: 50, stepsMax: 40 }).error?.issues;
  expect(issues?.[0]?.message).toBe("expected stepsPerRound <= stepsMax 40, got 50");
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

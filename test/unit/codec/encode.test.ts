import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChunkCursor } from "../../../src/codec/chunk-cursor.ts";
import { HEAD_BYTES } from "../../../src/codec/frame.ts";
import {
  type CodecSettings,
  decodeDelta,
  deltaBytesMax,
  encodeDelta,
  openDelta,
} from "../../../src/codec/index.ts";
import { chunkLengthMax, chunkLengths, parameterCount } from "../../../src/codec/layout.ts";
import { levelCount } from "../../../src/codec/levels.ts";
import { MAGNITUDE_MAX } from "../../../src/codec/magnitude.ts";
import { keptOf } from "../../../src/codec/settings.ts";
import { KEEPS, VALUE_BITS, normalResidual, slowNorm } from "./support.ts";

const settingsArbitrary = fc.record({
  keepPerChunk: fc.oneof(fc.constantFrom(...KEEPS), fc.integer({ min: 16, max: 4096 })),
  valueBits: fc.constantFrom(...VALUE_BITS),
});
const lengthsArbitrary = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 9000 })),
  {
    maxLength: 4,
  },
);
/** Zeros and ties, small integers, the whole range, both ends. */
const elementArbitrary = fc.constantFrom(
  () => fc.constantFrom(0, 0, 0, 1, -1),
  () => fc.integer({ min: -300, max: 300 }),
  () => fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  () => fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 2 ** 30, -(2 ** 30), 5),
);
const caseArbitrary = fc
  .tuple(settingsArbitrary, lengthsArbitrary, elementArbitrary, fc.boolean(), fc.string())
  .chain(([settings, lengths, element, normal, seed]) => {
    const count = parameterCount(lengths);
    const residual = normal
      ? fc.constant(normalResidual(seed, count))
      : fc.array(element(), { minLength: 100, maxLength: 100 }).map((values) =>
          // A short pattern of drawn values, stretched: drawing each of thousands would only be slower.
          Int32Array.from({ length: count }, (_, i) => values[(i * 7 + (i >> 5)) % values.length]),
        );
    return fc.record({ settings: fc.constant(settings), lengths: fc.constant(lengths), residual });
  });

function decoded(bytes: Uint8Array, lengths: readonly number[], settings: CodecSettings): Int32Array {
  const verdict = decodeDelta(bytes, lengths, settings);
  if (verdict.kind !== "accept") throw new Error(verdict.detail);
  return verdict.value;
}

const energy = (values: Int32Array): number => values.reduce((sum, x) => sum + x * x, 0);

describe("encodeDelta", () => {
  it("R1: residual before = residual after + decoded, exactly, under every settings", () => {
    fc.assert(
      fc.property(caseArbitrary, ({ settings, lengths, residual }) => {
        const after = residual.slice();
        const { bytes, norm } = encodeDelta(after, lengths, settings);
        const delta = decoded(bytes, lengths, settings);
        expect(residual.findIndex((before, i) => before !== after[i] + delta[i])).toBe(-1);
        expect(bytes.length).toBeLessThanOrEqual(deltaBytesMax(lengths, settings));
        expect(norm).toBe(slowNorm(delta));
        const opened = openDelta(bytes, lengths, settings);
        expect(opened.kind === "accept" && opened.value.norm).toBe(norm);
        // Top-k is a contraction (Stich 2018, arXiv 1809.07599, definition 2.1), and stays one when quantised.
        expect(energy(after)).toBeLessThanOrEqual(energy(residual));
      }),
      { numRuns: 150 },
    );
  });

  it("R1: drops no element greater than one it keeps, and moves a kept one at most half a step", () => {
    fc.assert(
      fc.property(caseArbitrary, ({ settings, lengths, residual }) => {
        const after = residual.slice();
        const { bytes } = encodeDelta(after, lengths, settings);
        const n = levelCount(settings.valueBits);
        const range = { at: HEAD_BYTES, end: bytes.length - 4, lengthMax: chunkLengthMax(lengths) };
        const cursor = new ChunkCursor(bytes, range, settings);
        let base = 0;
        for (const length of chunkLengths(lengths)) {
          expect(cursor.read(length)).toBeUndefined();
          const before = residual.subarray(base, base + length);
          const lost = after.subarray(base, base + length);
          base += length;
          if (cursor.kept === 0) {
            // A zero chunk: nothing in it is worth one unit on average.
            expect(lost).toEqual(before);
            continue;
          }
          expect(cursor.kept).toBe(keptOf(length, settings));
          const indices = cursor.dense ? before.keys() : cursor.indices.subarray(0, cursor.kept);
          const kept = new Set<number>(indices);
          const [lo, hi] = [cursor.values[0], cursor.values[n - 1]];
          const halfStep = Math.ceil((hi - lo) / (n - 1) / 2) + 1;
          const moved = (i: number): boolean => {
            const m = Math.abs(before[i]);
            return Math.abs(lost[i]) > (m < lo ? lo + m : m > hi ? m - hi : halfStep);
          };
          expect([...kept].filter(moved)).toEqual([]);
          const keptLeast = [...kept].reduce((least, i) => Math.min(least, Math.abs(before[i])), Infinity);
          // 2^31 counts as 2^31 - 1, hence the 1.
          const greater = (m: number, i: number): boolean => !kept.has(i) && Math.abs(m) > keptLeast + 1;
          expect(before.findIndex(greater)).toBe(-1);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("ties go to the lower index", () => {
    const settings = { keepPerChunk: 64, valueBits: 2 } as const;
    const { bytes } = encodeDelta(new Int32Array(4096).fill(-5), [4096], settings);
    const delta = decoded(bytes, [4096], settings);
    expect(delta.every((value, i) => value === (i < 64 ? -5 : 0))).toBe(true);
  });

  it("zeros cost 3 bytes per chunk, and have norm 0", () => {
    const lengths = [8192, 1, 100];
    for (const keepPerChunk of KEEPS) {
      const settings = { keepPerChunk, valueBits: 2 } as const;
      const { bytes, norm } = encodeDelta(new Int32Array(8293), lengths, settings);
      expect([bytes.length, norm]).toEqual([24 + 4 * 3 + 4, 0]);
      expect(decoded(bytes, lengths, settings)).toEqual(new Int32Array(8293));
    }
  });

  it("no tensors at all are a legal delta", () => {
    const settings = { keepPerChunk: 64, valueBits: 2 } as const;
    const { bytes, norm } = encodeDelta(new Int32Array(0), [], settings);
    expect([bytes.length, norm, decoded(bytes, [], settings).length]).toEqual([28, 0, 0]);
  });

  it("the greatest values decode within the greatest magnitude, and what is above stays in the residual", () => {
    const residual = Int32Array.of(-(2 ** 31), 2 ** 31 - 1, -(2 ** 31), 2 ** 31 - 1);
    const settings = { keepPerChunk: 4096, valueBits: 2 } as const;
    const { bytes } = encodeDelta(residual, [4], settings);
    expect([...decoded(bytes, [4], settings)]).toEqual([-1, 1, -1, 1].map((sign) => sign * MAGNITUDE_MAX));
    expect(residual[0]).toBe(-(2 ** 31) + MAGNITUDE_MAX);
  });

  it("R1: deltaBytesMax is reached by the unluckiest residual, under every settings", () => {
    const lengths = [5000, 3, 4096, 700];
    for (const keepPerChunk of KEEPS) {
      for (const valueBits of VALUE_BITS) {
        const settings = { keepPerChunk, valueBits };
        const residual = new Int32Array(parameterCount(lengths));
        let end = 0;
        for (const length of chunkLengths(lengths)) {
          end += length;
          residual.fill(1000, end - keptOf(length, settings), end); // all skipped in one gap
        }
        expect(encodeDelta(residual, lengths, settings).bytes.length).toBe(deltaBytesMax(lengths, settings));
      }
    }
  });

  it("R1: the same residual gives the same bytes, in a view of a greater array too", () => {
    const settings = { keepPerChunk: 64, valueBits: 4 } as const;
    const residual = normalResidual("twice", 9000);
    const framed = new Int32Array(9002);
    framed.set(residual, 1);
    const inView = encodeDelta(framed.subarray(1, 9001), [9000], settings).bytes;
    expect(inView).toEqual(encodeDelta(residual, [9000], settings).bytes);
    expect([framed[0], framed[9001]]).toEqual([0, 0]);
  });

  it("R2: density 1/64 at 2 bits is at least 200 times smaller than float32 on normal residuals", () => {
    const lengths = [2 ** 20 - 1000, 600, 400];
    const settings = { keepPerChunk: 64, valueBits: 2 } as const;
    const { bytes } = encodeDelta(normalResidual("ratio", 2 ** 20), lengths, settings);
    const ratio = (4 * 2 ** 20) / bytes.length;
    console.log(
      `density 1/64, 2 bits, ${2 ** 20} normal elements: ${bytes.length} bytes, ${ratio.toFixed(1)}x`,
    );
    expect(ratio).toBeGreaterThanOrEqual(200);
  });
});

describe("error feedback over rounds", () => {
  it("delivers all of a constant gradient: what is decoded adds up to what went in, less a bounded residual", () => {
    const settings = { keepPerChunk: 64, valueBits: 2 } as const;
    const gradient = normalResidual("constant", 4096);
    const residual = new Int32Array(4096);
    const sum = new Float64Array(4096);
    const rounds = 200;
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < 4096; i++) residual[i] += gradient[i];
      const { bytes } = encodeDelta(residual, [4096], settings);
      decoded(bytes, [4096], settings).forEach((value, i) => (sum[i] += value));
    }
    let lost = 0;
    for (let i = 0; i < 4096; i++) lost += (sum[i] / rounds - gradient[i]) ** 2;
    // 1/64 of the elements a round, greatest first: after 200 rounds little is outstanding.
    expect(lost / energy(gradient)).toBeLessThan(0.1);
  });
});

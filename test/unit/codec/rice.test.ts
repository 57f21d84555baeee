import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gapsBytesMax, readGaps, riceParameter, writeGaps } from "../../../src/codec/rice.ts";
import { keptOf } from "../../../src/codec/settings.ts";
import { KEEPS } from "./support.ts";

/** The obvious way: a text of bits. */
function slowGaps(indices: readonly number[], p: number): number[] {
  let bits = "";
  indices.forEach((index, i) => {
    const gap = index - (i === 0 ? -1 : indices[i - 1]) - 1;
    bits += "0".repeat(Math.floor(gap / 2 ** p)) + "1";
    for (let bit = 0; bit < p; bit++) bits += String((gap >> bit) & 1);
  });
  bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, "0");
  return (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte.split("").reverse().join(""), 2));
}

/** A length and ascending indices below it, fewer than it. */
const sparse = fc
  .tuple(fc.integer({ min: 2, max: 4096 }), fc.integer({ min: 1, max: 200 }))
  .chain(([length, kept]) =>
    fc.record({
      length: fc.constant(length),
      indices: fc
        .uniqueArray(fc.nat({ max: length - 1 }), { minLength: 1, maxLength: Math.min(kept, length - 1) })
        .map((indices) => indices.sort((a, b) => a - b)),
    }),
  );

describe("Rice-coded gaps", () => {
  it("are the bytes that a text of bits gives, and read back", () => {
    fc.assert(
      fc.property(sparse, ({ length, indices }) => {
        const kept = indices.length;
        const out = new Uint8Array(gapsBytesMax(length, kept));
        const end = writeGaps(out, 0, Uint16Array.from(indices), { kept, length });
        expect([...out.subarray(0, end)]).toEqual(slowGaps(indices, riceParameter(length, kept)));
        const back = new Uint16Array(kept);
        expect(readGaps(out, 0, end, back, { kept, length })).toBe(end);
        expect([...back]).toEqual(indices);
      }),
      { numRuns: 500 },
    );
  });

  it("reach their bound when everything is skipped at once, and never pass it", () => {
    for (const keepPerChunk of KEEPS.filter((keep) => keep < 4096)) {
      for (const length of [4096, 4095, 1000, 129]) {
        const kept = keptOf(length, { keepPerChunk, valueBits: 2 });
        if (kept === length) continue;
        const last = Uint16Array.from({ length: kept }, (_, i) => length - kept + i);
        expect(writeGaps(new Uint8Array(8192), 0, last, { kept, length })).toBe(gapsBytesMax(length, kept));
      }
    }
  });

  it("use the parameter of the fewest expected bits for geometric gaps, and never above 7", () => {
    for (let keepPerChunk = 16; keepPerChunk < 4096; keepPerChunk += 7) {
      const p = riceParameter(4096, keepPerChunk);
      const mean = (4096 - keepPerChunk) / keepPerChunk;
      const skip = mean / (1 + mean); // P(one more element is skipped)
      const bits = (q: number): number => q + 1 + skip ** (2 ** q) / (1 - skip ** (2 ** q));
      const best = Math.min(...[0, 1, 2, 3, 4, 5, 6, 7, 8].map(bits));
      // The switch points are rounded, so almost the best.
      expect(bits(p)).toBeLessThan(best * 1.01);
      expect(p).toBeLessThanOrEqual(7);
    }
    expect(riceParameter(4096, 64)).toBe(5);
  });

  it("F16: any bytes are read or refused, within the bytes given", () => {
    fc.assert(
      fc.property(sparse, fc.uint8Array({ maxLength: 80 }), ({ length, indices }, bytes) => {
        const kept = indices.length;
        const read = new Uint16Array(kept);
        const end = readGaps(bytes, 0, bytes.length, read, { kept, length });
        if (end < 0) return;
        expect(end).toBeLessThanOrEqual(bytes.length);
        expect(read.every((index, i) => index < length && (i === 0 || index > read[i - 1]))).toBe(true);
        // What is accepted has one encoding.
        const out = new Uint8Array(gapsBytesMax(length, kept));
        const written = writeGaps(out, 0, read, { kept, length });
        expect([...out.subarray(0, written)]).toEqual([...bytes.subarray(0, end)]);
      }),
      { numRuns: 2000 },
    );
  });
});

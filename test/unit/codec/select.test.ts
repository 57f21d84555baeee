import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSelector } from "../../../src/codec/select.ts";

/** The obvious way: sort by magnitude, then index; take k; put them in order. */
function slowSelect(magnitudes: Int32Array, k: number): number[] {
  return Array.from(magnitudes.keys())
    .sort((a, b) => magnitudes[b] - magnitudes[a] || a - b)
    .slice(0, k)
    .sort((a, b) => a - b);
}

function fastSelect(magnitudes: Int32Array, k: number): number[] {
  const indices = new Uint16Array(4096);
  createSelector(magnitudes.length).select(magnitudes, magnitudes.length, k, indices);
  return [...indices.subarray(0, k)];
}

const few = fc.integer({ min: 0, max: 3 });
const any = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const mixed = fc.oneof(few, any, fc.constantFrom(1023, 1024, 1025, 2 ** 20, 2 ** 20 + 1, 2 ** 31 - 1));

describe("top-k selection", () => {
  it("chooses what a sort chooses, ties by lower index", () => {
    const chunk = fc.oneof(...[few, any, mixed].map((m) => fc.array(m, { minLength: 1, maxLength: 300 })));
    fc.assert(
      fc.property(chunk, fc.nat(), (values, pick) => {
        const magnitudes = Int32Array.from(values);
        const k = 1 + (pick % values.length);
        expect(fastSelect(magnitudes, k)).toEqual(slowSelect(magnitudes, k));
      }),
      { numRuns: 1000 },
    );
  });

  it("keeps the first k of a full chunk of equal magnitudes", () => {
    const magnitudes = new Int32Array(4096).fill(77_777);
    expect(fastSelect(magnitudes, 64)).toEqual(Array.from({ length: 64 }, (_, i) => i));
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fillLevels, fillBorders, fillValues, isDeadCode, levelCount } from "../../../src/codec/levels.ts";
import { VALUE_BITS } from "./support.ts";

/** Small distances make levels coincide; great ones test the arithmetic. */
const magnitude = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 2 ** 30 - 1 }));

function levelsOf(count: number, lo: number, hi: number): Int32Array {
  const levels = new Int32Array(count);
  fillLevels(levels, count, lo, hi);
  return levels;
}

describe("levels", () => {
  it("run from lo to hi and lie within half a unit of the even spacing", () => {
    fc.assert(
      fc.property(fc.constantFrom(...VALUE_BITS), magnitude, magnitude, (bits, a, b) => {
        const count = levelCount(bits);
        const [lo, hi] = [Math.min(a, b), Math.max(a, b)];
        const levels = levelsOf(count, lo, hi);
        expect([levels[0], levels[count - 1]]).toEqual([lo, hi]);
        for (let j = 0; j < count; j++) {
          // |level - (lo + (hi - lo) j / (n - 1))| < 1/2, both sides times 2 (n - 1).
          const error = BigInt(levels[j] - lo) * BigInt(2 * (count - 1)) - 2n * BigInt(hi - lo) * BigInt(j);
          expect(error < BigInt(count - 1) && error > -BigInt(count - 1)).toBe(true);
        }
      }),
    );
  });

  it("borders give the nearest level, the least of equal ones, as a search of all levels does", () => {
    fc.assert(
      fc.property(fc.constantFrom(...VALUE_BITS), magnitude, magnitude, magnitude, (bits, a, b, m) => {
        const count = levelCount(bits);
        const levels = levelsOf(count, Math.min(a, b), Math.max(a, b));
        const borders = new Int32Array(count + 1);
        fillBorders(borders, levels, count);
        const distances = Array.from(levels, (level) => Math.abs(level - m));
        expect(borders.findLastIndex((border) => border < m)).toBe(distances.indexOf(Math.min(...distances)));
      }),
      { numRuns: 1000 },
    );
  });

  it("leave exactly one live code for each value", () => {
    fc.assert(
      fc.property(fc.constantFrom(...VALUE_BITS), magnitude, magnitude, (bits, a, b) => {
        const count = levelCount(bits);
        const levels = levelsOf(count, Math.min(a, b), Math.max(a, b));
        const values = new Int32Array(2 * count);
        fillValues(values, levels, count);
        const live = [...values].filter((_, code) => !isDeadCode(code, levels, count));
        expect(new Set(live).size).toBe(live.length);
        expect(new Set(live)).toEqual(new Set(values));
      }),
    );
  });
});

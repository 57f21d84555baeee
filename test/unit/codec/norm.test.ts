import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SquareSum, floorSqrt } from "../../../src/codec/norm.ts";

describe("norm", () => {
  it("is the floor of the root, next to perfect squares too", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 52n }), fc.bigInt({ min: -1n, max: 1n }), (root, step) => {
        const n = root * root + step;
        if (n < 0n) return;
        const result = BigInt(floorSqrt(n));
        expect(result * result <= n && n < (result + 1n) ** 2n).toBe(true);
      }),
    );
  });

  it("adds squares exactly up to the greatest levels and counts", () => {
    const level = fc.integer({ min: 0, max: 2 ** 30 - 1 });
    const chunk = fc.tuple(
      fc.tuple(level, level),
      fc.tuple(...Array.from({ length: 4 }, () => fc.nat({ max: 1024 }))),
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 5 }), (chunks) => {
        const squares = new SquareSum();
        let sum = 0n;
        for (const [levels, counts] of chunks) {
          squares.addChunk(Int32Array.from(counts), Int32Array.from(levels), 2);
          counts.forEach((count, code) => (sum += BigInt(count) * BigInt(levels[code % 2]) ** 2n));
        }
        expect(squares.norm()).toBe(floorSqrt(sum));
      }),
    );
  });
});

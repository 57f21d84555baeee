import fc from "fast-check";
import { expect, test } from "vitest";
import { Points } from "../../../../src/node/watch/points.ts";

test("N3 a curve of any length has at most max + 1 points, in order, with the first and the newest", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), fc.constantFrom(2, 8, 64), (length, max) => {
      const points = new Points(max);
      for (let i = 0; i < length; i++) points.add(i, 10 * i, i / 2);
      const { round, tokens, lossNats } = points.columns();
      expect(round.length).toBeLessThanOrEqual(max + 1);
      expect(round[0]).toBe(0);
      expect(round.at(-1)).toBe(length - 1);
      expect(round).toEqual(round.toSorted((a, b) => a - b));
      expect(tokens).toEqual(round.map((r) => 10 * r));
      expect(lossNats).toEqual(round.map((r) => r / 2));
    }),
  );
});

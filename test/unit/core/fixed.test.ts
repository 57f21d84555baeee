import fc from "fast-check";
import { expect, test } from "vitest";
import { ONE, fromFixed, roundHalfToEven, toFixed, toFloats } from "../../../src/core/index.ts";

test("roundHalfToEven: the nearest integer, ties to the even one, up to 2^51", () => {
  expect([0.5, 1.5, 2.5, -0.5, -1.5, -2.5].map((x) => roundHalfToEven(x) + 0)).toEqual([0, 2, 2, 0, -2, -2]);
  fc.assert(
    fc.property(fc.double({ min: -(2 ** 51), max: 2 ** 51, noNaN: true }), (x) => {
      const rounded = roundHalfToEven(x);
      const [below, above] = [Math.floor(x), Math.ceil(x)];
      const even = below % 2 === 0 ? below : above;
      expect(rounded + 0).toBe((x - below < above - x ? below : x - below > above - x ? above : even) + 0);
    }),
    { numRuns: 2000 },
  );
});

test("toFixed: the nearest of 24 fraction bits, saturating at the ends; NaN becomes 0", () => {
  expect([128, 1e30, Infinity].map(toFixed)).toEqual([2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1]);
  expect([-128, -1e30, -Infinity].map(toFixed)).toEqual([-(2 ** 31), -(2 ** 31), -(2 ** 31)]);
  expect(toFixed(Number.NaN)).toBe(0);
  expect([1.5 / ONE, 2.5 / ONE, 1].map(toFixed)).toEqual([2, 2, ONE]);
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (fixed) => {
      expect(toFixed(fromFixed(fixed))).toBe(fixed);
    }),
  );
});

test("an array is converted as its values are, into a new one or the one that is given", () => {
  const fixed = Int32Array.of(0, 1, -1, ONE, 2 ** 31 - 1, -(2 ** 31), 12_345_679);
  const expected = Float32Array.from(fixed, fromFixed);
  const given = new Float32Array(fixed.length);
  expect(toFloats(fixed)).toEqual(expected);
  expect(toFloats(fixed, given)).toBe(given);
  expect(given).toEqual(expected);
});

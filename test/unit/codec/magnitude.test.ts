import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  MAGNITUDE_CODE_MAX,
  MAGNITUDE_MAX,
  decodeMagnitude,
  encodeMagnitude,
} from "../../../src/codec/magnitude.ts";

const VALUES = Array.from({ length: MAGNITUDE_CODE_MAX + 1 }, (_, code) => decodeMagnitude(code));

describe("magnitude", () => {
  it("decodes every code to an integer below 2^30, greater than that of the code before", () => {
    expect(
      VALUES.every((value, code) => Number.isInteger(value) && (code === 0 || value > VALUES[code - 1])),
    ).toBe(true);
    expect(VALUES[0]).toBe(0);
    expect(VALUES.at(-1)).toBe(MAGNITUDE_MAX);
    expect(MAGNITUDE_MAX).toBe(2 ** 30 - 2 ** 22);
  });

  it("encodes every value that has a code as that code", () => {
    VALUES.forEach((value, code) => expect(encodeMagnitude(value)).toBe(code));
  });

  it("finds the nearest code, as a search of all of them does", () => {
    const real = fc.oneof(
      fc.double({ min: 0, max: 300, noNaN: true }),
      fc.double({ min: 0, max: 2 ** 31, noNaN: true }),
    );
    fc.assert(
      fc.property(real, (value) => {
        const distance = Math.abs(decodeMagnitude(encodeMagnitude(value)) - value);
        expect(distance).toBe(Math.min(...VALUES.map((candidate) => Math.abs(candidate - value))));
      }),
      { numRuns: 300 },
    );
  });
});

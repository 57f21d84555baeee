import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ONE } from "../../../src/core/index.ts";
import { accumulateResidual, trainingStart } from "../../../src/codec/index.ts";

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const weight = fc.oneof(
  fc.float({ min: Math.fround(-0.1), max: Math.fround(0.1), noNaN: true }),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
);

function int(value: bigint): number {
  return Number(value > 2n ** 31n - 1n ? 2n ** 31n - 1n : value < -(2n ** 31n) ? -(2n ** 31n) : value);
}

/** numerator / 2^bits to the nearest integer, ties to even, in exact integers. */
function roundedShift(numerator: bigint, bits: bigint): bigint {
  const floor = numerator >> bits;
  const twice = (numerator - (floor << bits)) * 2n;
  const one = 1n << bits;
  if (twice > one || (twice === one && floor % 2n !== 0n)) return floor + 1n;
  return floor;
}

/** A float32 in fixed point, not yet saturated. It is an integer over 2^149, so integers can round it exactly. */
function fixed(value: number): bigint {
  if (Math.abs(value) >= 128) return BigInt(Math.sign(value)) * 2n ** 40n;
  return roundedShift(BigInt(value * 2 ** 100 * 2 ** 49), 125n);
}

describe("accumulateResidual", () => {
  it("is sat(round(beta * residual) + start - toFixed(end)), as exact integers give it", () => {
    const element = fc.record({ residual: int32, start: int32, end: weight });
    // Of beta = b / 2^10 every product is exact, so that integers can say what is right.
    fc.assert(
      fc.property(fc.array(element, { maxLength: 20 }), fc.integer({ min: 0, max: 1024 }), (elements, b) => {
        const residual = Int32Array.from(elements, (each) => each.residual);
        const start = Int32Array.from(elements, (each) => each.start);
        const end = Float32Array.from(elements, (each) => each.end);
        expect(accumulateResidual(residual, start, end, b / 1024)).toBe(true);
        elements.forEach((each, i) => {
          const fixedEnd = BigInt(int(fixed(end[i])));
          const kept = roundedShift(BigInt(each.residual) * BigInt(b), 10n);
          expect(residual[i]).toBe(int(kept + BigInt(each.start) - fixedEnd));
        });
      }),
      { numRuns: 500 },
    );
  });

  it("refuses weights that are not finite, and leaves the residual as it was", () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const residual = Int32Array.of(1, 2, 3);
      expect(accumulateResidual(residual, new Int32Array(3), Float32Array.of(0.5, 0.5, bad), 0.95)).toBe(
        false,
      );
      expect([...residual]).toEqual([1, 2, 3]);
    }
  });

  it("saturates instead of wrapping", () => {
    const residual = Int32Array.of(2 ** 31 - 1, -(2 ** 31));
    accumulateResidual(residual, Int32Array.of(100 * ONE, -100 * ONE), Float32Array.of(-100, 100), 1);
    expect([...residual]).toEqual([2 ** 31 - 1, -(2 ** 31)]);
  });

  it("stops on arrays of different lengths and on a beta outside 0..1", () => {
    const three = new Int32Array(3);
    expect(() => accumulateResidual(three, three, new Float32Array(2), 0.9)).toThrow("elements");
    expect(() => accumulateResidual(three, three, new Float32Array(3), 1.1)).toThrow("beta");
    expect(() => accumulateResidual(three, three, new Float32Array(3), NaN)).toThrow("beta");
  });
});

describe("trainingStart", () => {
  it("goes on from a share of the residual: who learns nothing more keeps beta of it", () => {
    const small = fc.integer({ min: -(2 ** 24), max: 2 ** 24 });
    const element = fc.record({ weight: small, before: small });
    const share = fc.integer({ min: 0, max: 16 });
    fc.assert(
      fc.property(fc.array(element, { minLength: 1, maxLength: 20 }), share, share, (elements, a, b) => {
        const [inStart, beta] = [Math.min(a, b) / 16, Math.max(a, b) / 16];
        const weights = Int32Array.from(elements, ({ weight: w }) => w);
        const residual = Int32Array.from(elements, ({ before }) => before);
        const start = new Float32Array(weights.length);
        trainingStart(start, { weights, residual }, inStart);
        expect(accumulateResidual(residual, weights, start, beta - inStart)).toBe(true);
        elements.forEach(({ before }, i) => {
          // A float32 below 2 is good to 2^-24, a unit; two more are rounded.
          expect(Math.abs(residual[i] - beta * before)).toBeLessThanOrEqual(2);
        });
      }),
    );
  });
});

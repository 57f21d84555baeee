import { describe, expect, it } from "vitest";
import { createFitter } from "../../../src/codec/fit.ts";
import { SeededRandom } from "../../../src/core/index.ts";
import { normalResidual } from "./support.ts";

/** Squared error of the nearest of n evenly spaced real levels. */
function squaredError(magnitudes: Int32Array, n: number, { lo, hi }: { lo: number; hi: number }): number {
  let error = 0;
  for (const m of magnitudes) {
    let least = Infinity;
    for (let j = 0; j < n; j++) least = Math.min(least, (m - lo - ((hi - lo) * j) / (n - 1)) ** 2);
    error += least;
  }
  return error;
}

/** The best two levels there are: means on both sides of the best split of the sorted magnitudes. */
function bestOfTwo(magnitudes: Int32Array): number {
  const sorted = [...magnitudes].sort((a, b) => a - b);
  const mean = (values: number[]): number => values.reduce((sum, m) => sum + m, 0) / values.length;
  let best = Infinity;
  for (let split = 1; split < sorted.length; split += 1) {
    const levels = { lo: mean(sorted.slice(0, split)), hi: mean(sorted.slice(split)) };
    best = Math.min(best, squaredError(magnitudes, 2, levels));
  }
  return best;
}

const random = new SeededRandom("fit");
const DISTRIBUTIONS: Record<string, Int32Array> = {
  normal: normalResidual("fit normal", 256).map(Math.abs),
  tail: normalResidual("fit tail", 8192).map(Math.abs).sort().slice(-128),
  laplace: Int32Array.from({ length: 256 }, () => -30_000 * Math.log(1 - random.unit())),
  uniform: Int32Array.from({ length: 256 }, () => random.below(90_000)),
  "mostly zero": Int32Array.from({ length: 256 }, (_, i) =>
    i % 16 === 0 ? 10_000 + random.below(5_000) : 0,
  ),
  "one outlier": Int32Array.from({ length: 256 }, (_, i) => (i === 9 ? 2 ** 30 : 1000 + random.below(1000))),
};

describe("fit", () => {
  it.each(Object.entries(DISTRIBUTIONS))(
    "two levels are within 5 % of the least squared error: %s",
    (_, m) => {
      const levels = createFitter().fit(m, m.length, 2);
      expect(squaredError(m, 2, levels)).toBeLessThanOrEqual(1.05 * bestOfTwo(m));
    },
  );

  it.each(Object.entries(DISTRIBUTIONS))("more levels never raise the error: %s", (_, m) => {
    const errors = [2, 8, 128].map((n) => squaredError(m, n, createFitter().fit(m, m.length, n)));
    expect(errors[1]).toBeLessThanOrEqual(errors[0] * 1.05);
    expect(errors[2]).toBeLessThanOrEqual(errors[1] * 1.05);
  });

  it("dense normal magnitudes come near the best uniform quantisers (Max 1960, table II)", () => {
    const m = normalResidual("max 1960", 4096).map(Math.abs);
    const power = m.reduce((sum, x) => sum + x * x, 0);
    const measured = [2, 8].map((n) => squaredError(m, n, createFitter().fit(m, m.length, n)) / power);
    // Of sigma^2: 0.1188 with 4 outputs, 0.01154 with 16. A sample of 4096 scatters by a few per cent.
    expect(measured[0]).toBeLessThan(0.1188 * 1.05);
    expect(measured[1]).toBeLessThan(0.01154 * 1.05);
  });

  it("one magnitude that all share is both levels", () => {
    expect(createFitter().fit(new Int32Array(5).fill(123), 5, 8)).toEqual({ lo: 123, hi: 123 });
    expect(createFitter().fit(new Int32Array(5), 5, 2)).toEqual({ lo: 0, hi: 0 });
  });
});

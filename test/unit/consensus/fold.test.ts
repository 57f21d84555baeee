import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CHUNK_LENGTH,
  type CodecSettings,
  type DeltaReader,
  decodeDelta,
  encodeDelta,
  openDelta,
} from "../../../src/codec/index.ts";
import { type Contribution, foldRound, foldTerms } from "../../../src/consensus/index.ts";
import { SeededRandom, assert } from "../../../src/core/index.ts";
import { runOf } from "../../support/run-of.ts";
import { History } from "./support.ts";

const UNIT = 2 ** 20;
const DENSE = { keepPerChunk: CHUNK_LENGTH, valueBits: 8 } as const;
const SPARSE = { keepPerChunk: 16, valueBits: 4 } as const;
const LENGTHS = [7, 1, 4]; // (P,) = 12 in three chunks
const P = 12;

interface Term {
  readonly reader: DeltaReader;
  readonly factor: number;
  readonly decoded: Int32Array; // (P,)
}

/** What the codec makes of a residual, with each element in a tensor of its own if `exact`. */
function termOf(
  residual: readonly number[],
  factor: number,
  lengths: readonly number[],
  settings: CodecSettings = DENSE,
): Term {
  const { bytes } = encodeDelta(Int32Array.from(residual), lengths, settings);
  const reader = openDelta(bytes, lengths, settings);
  const decoded = decodeDelta(bytes, lengths, settings);
  assert(reader.kind === "accept" && decoded.kind === "accept", "our own delta opens");
  return { reader: reader.value, factor, decoded: decoded.value };
}

/** The dumb twin: weights - direction * roundHalfToEven(sum k_j D_j / 2^20), each by itself, in BigInt. */
function foldSlowly(weights: Int32Array, terms: readonly Term[], direction: 1 | -1): Int32Array {
  return weights.map((weight, i) => {
    let sum = 0n;
    for (const { decoded, factor } of terms) sum += BigInt(factor) * BigInt(decoded[i]);
    return Number(BigInt.asIntN(32, BigInt(weight) - BigInt(direction) * halfToEven(sum)));
  });
}

function halfToEven(sum: bigint): bigint {
  const floor = sum >> 20n;
  const rest = 2n * (sum - (floor << 20n));
  if (rest !== BigInt(UNIT)) return rest > BigInt(UNIT) ? floor + 1n : floor;
  return floor % 2n === 0n ? floor : floor + 1n;
}

function folded(weights: Int32Array, terms: readonly Term[], direction: 1 | -1 = 1): Int32Array {
  const result = weights.slice();
  foldRound(result, terms, direction);
  return result;
}

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const weights = fc.array(int32, { minLength: P, maxLength: P }).map((values) => Int32Array.from(values));
const residual = fc.array(fc.integer({ min: -(2 ** 29), max: 2 ** 29 }), { minLength: P, maxLength: P });
const term = fc
  .record({ residual, factor: fc.oneof(fc.integer({ min: 0, max: UNIT }), fc.constant(UNIT / 2)) })
  .map(({ residual: values, factor }) => termOf(values, factor, LENGTHS));
/** Up to five terms whose factors sum to at most 2^20. */
const terms = fc
  .array(term, { maxLength: 5 })
  .map((all) => all.map((one) => ({ ...one, factor: Math.floor(one.factor / Math.max(1, all.length)) })));

describe("foldRound()", () => {
  test("F14: rounds exact halves to even, not up", () => {
    const values = [1, 3, 5, 7, -1, -3, -5, -7];
    const halves = termOf(
      values,
      UNIT / 2,
      values.map(() => 1),
    );
    expect([...halves.decoded]).toEqual(values);
    // 0.5 1.5 2.5 3.5 and their negatives, subtracted.
    expect([...folded(new Int32Array(8), [halves])]).toEqual([0, -2, -2, -4, 0, 2, 2, 4]);
  });

  test("F14: every term counts", () => {
    const lengths = [1, 1];
    const sum = [
      termOf([8, 16], UNIT / 4, lengths),
      termOf([32, 4], UNIT / 2, lengths),
      termOf([-4, 4], UNIT / 4, lengths),
    ];
    expect([...folded(Int32Array.of(100, 100), sum)]).toEqual([100 - 2 - 16 + 1, 100 - 4 - 2 - 1]);
  });

  test("F14: equals a twin in BigInt for any weights, deltas and factors", () => {
    fc.assert(
      fc.property(weights, terms, fc.constantFrom<1 | -1>(1, -1), (start, some, direction) => {
        expect(folded(start, some, direction)).toEqual(foldSlowly(start, some, direction));
      }),
    );
  });

  test("F14: so does the fold of sparse deltas, which share some places and leave most alone", () => {
    const lengths = [CHUNK_LENGTH, 100];
    const length = CHUNK_LENGTH + 100;
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom<1 | -1>(1, -1),
        (seed, count, direction) => {
          const random = new SeededRandom(seed);
          const drawn = (below: number): number[] =>
            Array.from({ length }, () => random.below(below) - below / 2);
          const start = Int32Array.from(drawn(2 ** 30));
          // Most of the weight of each is where the others have theirs.
          const common = drawn(2 ** 28);
          const some = Array.from({ length: count }, () => {
            const own = drawn(2 ** 27);
            return termOf(
              common.map((value, i) => value + (own[i] as number)),
              Math.floor(UNIT / count),
              lengths,
              SPARSE,
            );
          });
          const places = some.map(({ decoded }) => decoded.filter((value) => value !== 0).length);
          expect(Math.max(...places)).toBeLessThanOrEqual(2 * 16);
          expect(folded(start, some, direction)).toEqual(foldSlowly(start, some, direction));
        },
      ),
      { numRuns: 30 },
    );
  });

  test("F14: does not depend on the order of terms", () => {
    fc.assert(
      fc.property(weights, terms, fc.infiniteStream(fc.nat()), (start, some, keys) => {
        const shuffled = some.map((one) => ({ one, key: keys.next().value as number }));
        shuffled.sort((a, b) => a.key - b.key);
        const reordered = shuffled.map(({ one }) => one);
        expect(folded(start, reordered)).toEqual(folded(start, some));
      }),
    );
  });

  test("F14: a late correction is exact: the wrong set out, the right one in, modulo 2^32", () => {
    fc.assert(
      fc.property(weights, terms, terms, (start, wrong, right) => {
        const corrected = folded(folded(folded(start, wrong), wrong, -1), right);
        expect(corrected).toEqual(folded(start, right));
      }),
    );
  });

  test("weights wrap around the ends of int32 and come back", () => {
    const delta = termOf([-1024], UNIT, [1]);
    const over = folded(Int32Array.of(2 ** 31 - 1), [delta]);
    expect(over[0]).toBe(-(2 ** 31) + 1023);
    expect(folded(over, [delta], -1)[0]).toBe(2 ** 31 - 1);
  });

  test("no terms change nothing; deltas of another layout are a bug, not an endless loop", () => {
    const start = Int32Array.of(1, 2);
    expect(folded(start, [])).toEqual(start);
    expect(() => folded(start, [termOf([5], UNIT, [1])])).toThrow(/layout of 2 weights end at 1/);
  });
});

describe("foldTerms()", () => {
  interface Work {
    readonly steps: number;
    readonly norm: number;
  }

  function included(works: readonly Work[]): Contribution[] {
    const history = new History(runOf({ seed: "terms" }));
    return works.map(({ steps, norm }, i) => history.add(`author ${i}`, [], { steps, norm }));
  }

  /** Factors in the order of `works`. */
  function factorsOf(works: readonly Work[], outerRate = UNIT): number[] {
    const contributions = included(works);
    const all = foldTerms(contributions, outerRate);
    return contributions.map(({ id }) => all.find((one) => one.id === id)?.factor ?? -1);
  }

  test("F14: the denominator is all of the set's work, so a lone sender of a coordinate gets its share only", () => {
    expect(factorsOf(Array.from({ length: 4 }, () => ({ steps: 10, norm: 1000 })))).toEqual(
      Array.from({ length: 4 }, () => UNIT / 4),
    );
    const lone = termOf([4096], UNIT / 4, [1]);
    const silent = [1, 2, 3].map(() => termOf([0], UNIT / 4, [1]));
    expect(folded(Int32Array.of(0), [lone, ...silent])[0]).toBe(-1024);
  });

  test("F14: norms are clipped at twice the median that is weighted by work", () => {
    const norms = [100, 100, 200, 201, 400].map((norm) => ({ steps: 10, norm }));
    const share = UNIT / 5;
    expect(factorsOf(norms)).toEqual([share, share, share, share, share].map(Math.floor));
    const outlier = [100, 100, 100, 201, 400].map((norm) => ({ steps: 10, norm }));
    expect(factorsOf(outlier)).toEqual(
      [1, 1, 1, 200 / 201, 1 / 2].map((clip) => Math.floor((UNIT * clip) / 5)),
    );
    // The heavy two have half of the work: the median is theirs.
    const heavy = [
      { steps: 40, norm: 10 },
      { steps: 10, norm: 100 },
      { steps: 10, norm: 100 },
    ];
    expect(factorsOf(heavy)[1]).toBe(Math.floor((UNIT * 10 * 20) / (40 * 100)));
  });

  test("F14: tokens count at most twice the median", () => {
    const works = [10, 10, 50].map((steps) => ({ steps, norm: 1000 }));
    expect(factorsOf(works)).toEqual([UNIT / 4, UNIT / 4, UNIT / 2]);
  });

  test("closing contributions and deltas of norm 0 add nothing", () => {
    const works = [
      { steps: 10, norm: 0 },
      { steps: 10, norm: 1000 },
      { steps: 10, norm: 1000 },
      { steps: 10, norm: 1000 },
      { steps: 0, norm: 0 },
    ];
    expect(factorsOf(works)).toEqual([0, UNIT / 4, UNIT / 4, UNIT / 4, -1]);
    expect(factorsOf([{ steps: 10, norm: 0 }])).toEqual([0]);
    expect(foldTerms([], UNIT)).toEqual([]);
  });

  test("F14: factors are integers that sum to at most the outer rate, as a twin in BigInt has them", () => {
    const work = fc.record({
      steps: fc.integer({ min: 1, max: 50 }),
      norm: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    });
    fc.assert(
      fc.property(
        fc.array(work, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: UNIT }),
        (works, rate) => {
          const factors = factorsOf(works, rate);
          expect(factors).toEqual(factorsSlowly(works, rate));
          expect(factors.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(rate);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("F14: terms are sorted by id, whatever the order of the set", () => {
    const contributions = included([1, 2, 3, 4].map((steps) => ({ steps, norm: 10 * steps })));
    const forwards = foldTerms(contributions, UNIT);
    expect(foldTerms(contributions.toReversed(), UNIT)).toEqual(forwards);
    expect(forwards.map(({ id }) => id)).toEqual(forwards.map(({ id }) => id).toSorted());
  });

  /** k_j by its definition, in exact fractions. */
  function factorsSlowly(works: readonly Work[], rate: number): number[] {
    const sorted = works.map(({ steps }) => steps).toSorted((a, b) => a - b);
    const median = sorted[Math.ceil(sorted.length / 2) - 1];
    const w = works.map(({ steps }) => BigInt(Math.min(steps, 2 * median)));
    const total = w.reduce((a, b) => a + b, 0n);
    const byNorm = works
      .map(({ norm }, i) => ({ norm: BigInt(norm), w: w[i] }))
      .toSorted((a, b) => Number(a.norm - b.norm));
    const median2 = byNorm.find((_, i) => 2n * byNorm.slice(0, i + 1).reduce((a, b) => a + b.w, 0n) >= total);
    const most = 2n * (median2?.norm ?? 0n);
    return works.map(({ norm }, i) => {
      if (norm === 0) return 0;
      const n = BigInt(norm);
      return Number((BigInt(rate) * w[i] * (n < most ? n : most)) / (total * n));
    });
  }
});

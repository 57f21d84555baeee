import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CodecSchedule, codecAt, codecScheduleSchema } from "../../../src/codec/index.ts";

const DENSE = { fromTokens: 0, keepPerChunk: 4096, valueBits: 4 } as const;
const SPARSE = { fromTokens: 1000, keepPerChunk: 64, valueBits: 2 } as const;

describe("a codec schedule", () => {
  it("R1: takes one stage or several that grow from 0, and nothing else", () => {
    const ok = (value: unknown): boolean => codecScheduleSchema.safeParse(value).success;
    expect(ok([DENSE])).toBe(true);
    expect(ok([DENSE, SPARSE])).toBe(true);
    expect(ok([])).toBe(false);
    expect(ok([SPARSE])).toBe(false);
    expect(ok([SPARSE, DENSE])).toBe(false);
    expect(ok([DENSE, SPARSE, SPARSE])).toBe(false);
    expect(ok([DENSE, { ...SPARSE, fromTokens: 999.5 }])).toBe(false);
    expect(ok([DENSE, { ...SPARSE, untilTokens: 2000 }])).toBe(false);
    expect(ok({ keepPerChunk: 64, valueBits: 2 })).toBe(false);
    expect(ok(Array.from({ length: 33 }, (_, i) => ({ ...SPARSE, fromTokens: i })))).toBe(false);
  });

  it("R1: its stages take 16..4096 kept per chunk, and 2, 4 or 8 bits", () => {
    const ok = (stage: object): boolean =>
      codecScheduleSchema.safeParse([{ fromTokens: 0, ...stage }]).success;
    expect(ok({ keepPerChunk: 16, valueBits: 2 })).toBe(true);
    expect(ok({ keepPerChunk: 4096, valueBits: 8 })).toBe(true);
    expect(ok({ keepPerChunk: 15, valueBits: 2 })).toBe(false);
    expect(ok({ keepPerChunk: 4097, valueBits: 2 })).toBe(false);
    expect(ok({ keepPerChunk: 64.5, valueBits: 2 })).toBe(false);
    expect(ok({ keepPerChunk: 64, valueBits: 3 })).toBe(false);
    expect(ok({ keepPerChunk: 64, valueBits: 2, chunk: 64 })).toBe(false);
    expect(ok({ keepPerChunk: 64 })).toBe(false);
  });

  it("R1: the settings are those of the last stage that has begun, from its first token on", () => {
    const schedule: CodecSchedule = [DENSE, SPARSE];
    expect([0, 999, 1000, 1e12].map((tokens) => codecAt(schedule, tokens))).toEqual([
      DENSE,
      DENSE,
      SPARSE,
      SPARSE,
    ]);
    expect([0, 1e12].map((tokens) => codecAt([DENSE], tokens))).toEqual([DENSE, DENSE]);
    expect(() => codecAt(schedule, -1)).toThrow("begins at 0");
  });

  it("R1: more tokens never go back to an earlier stage", () => {
    const schedules = fc
      .uniqueArray(fc.integer({ min: 1, max: 1000 }), { maxLength: 8 })
      .map((froms) => [0, ...froms.sort((a, b) => a - b)].map((fromTokens) => ({ ...SPARSE, fromTokens })));
    fc.assert(
      fc.property(schedules, fc.nat(1200), fc.nat(1200), (schedule, a, b) => {
        const stage = (tokens: number): number => schedule.findIndex((s) => s === codecAt(schedule, tokens));
        expect(stage(Math.min(a, b))).toBeLessThanOrEqual(stage(Math.max(a, b)));
      }),
    );
  });
});

import { describe, expect, it } from "vitest";
import { encodeDelta } from "../../../src/codec/index.ts";
import { keptOf } from "../../../src/codec/settings.ts";

describe("settings", () => {
  it("keeps ceil(keepPerChunk * L / 4096) of a shorter chunk", () => {
    const settings = { keepPerChunk: 64, valueBits: 2 } as const;
    expect([4096, 4095, 65, 64, 1].map((length) => keptOf(length, settings))).toEqual([64, 64, 2, 1, 1]);
    expect(keptOf(17, { keepPerChunk: 4096, valueBits: 2 })).toBe(17);
  });

  it("stops on our own mistakes: bad settings, lengths that do not add up", () => {
    const residual = new Int32Array(10);
    expect(() => encodeDelta(residual, [10], { keepPerChunk: 8, valueBits: 2 })).toThrow("keepPerChunk");
    expect(() => encodeDelta(residual, [9], { keepPerChunk: 64, valueBits: 2 })).toThrow("10 elements");
    expect(() => encodeDelta(residual, [10.5, -0.5], { keepPerChunk: 64, valueBits: 2 })).toThrow("count");
  });
});

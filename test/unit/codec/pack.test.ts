import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CODES_SLACK, packCodes, packedBytes, unpackCodes } from "../../../src/codec/pack.ts";
import { VALUE_BITS } from "./support.ts";

describe("packed codes", () => {
  it("are the digits of one great number, lowest first, and unpack again", () => {
    const codes = fc.array(fc.nat({ max: 255 }), { maxLength: 30 });
    fc.assert(
      fc.property(fc.constantFrom(...VALUE_BITS), codes, fc.nat({ max: 3 }), (valueBits, drawn, at) => {
        const count = drawn.length;
        const masked = drawn.map((code) => code & (2 ** valueBits - 1));
        const number = masked.reduceRight((sum, code) => (sum << BigInt(valueBits)) | BigInt(code), 0n);

        const out = new Uint8Array(at + packedBytes(count, valueBits));
        const end = packCodes(out, at, Uint8Array.of(...masked, 9, 9, 9), { count, valueBits });
        expect(end).toBe(out.length);
        expect([...out.subarray(0, at)]).toEqual(Array(at).fill(0));
        const packed = out.subarray(at).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
        expect(packed).toBe(number);

        const back = new Uint8Array(count + CODES_SLACK);
        expect(unpackCodes(out, at, back, { count, valueBits })).toBe(true);
        expect([...back.subarray(0, count)]).toEqual(masked);
      }),
    );
  });

  it("F16: every bit of padding is looked at", () => {
    for (const [valueBits, count, free] of [
      [2, 1, 6],
      [2, 2, 4],
      [2, 3, 2],
      [4, 1, 4],
    ] as const) {
      for (let bit = 8 - free; bit < 8; bit++) {
        expect(unpackCodes(Uint8Array.of(1 << bit), 0, new Uint8Array(8), { count, valueBits })).toBe(false);
      }
    }
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CODES_SLACK,
  addCodes,
  countCodes,
  isPadded,
  packCodes,
  packedBytes,
  unpackCodes,
} from "../../../src/codec/pack.ts";
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
        const written = { bytes: out, at, count, valueBits };
        expect(isPadded(written)).toBe(true);
        unpackCodes(back, written);
        expect([...back.subarray(0, count)]).toEqual(masked);

        const counts = new Int32Array(256);
        countCodes(counts, new Int32Array(256).fill(9), written);
        expect([...counts]).toEqual(
          Array.from({ length: 256 }, (_, code) => masked.filter((c) => c === code).length),
        );
        const products = Float64Array.from({ length: 256 }, (_, code) => 3 * code - 7);
        const acc = new Float64Array(count + 4).fill(5);
        addCodes(acc, products, written);
        expect([...acc]).toEqual([...masked.map((code) => 5 + products[code]), 5, 5, 5, 5]);
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
        expect(isPadded({ bytes: Uint8Array.of(1 << bit), at: 0, count, valueBits })).toBe(false);
      }
    }
  });
});

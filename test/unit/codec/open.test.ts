import { describe, expect, it } from "vitest";
import {
  CHUNK_LENGTH,
  type CodecSettings,
  decodeDelta,
  deltaBytesMax,
  encodeDelta,
  openDelta,
} from "../../../src/codec/index.ts";
import { KEEPS, VALUE_BITS, frameOf, normalResidual, resealed } from "./support.ts";

const SPARSE: CodecSettings = { keepPerChunk: 64, valueBits: 2 };
const DENSE: CodecSettings = { keepPerChunk: 4096, valueBits: 2 };

/** The code of the verdict on bytes; "accept" when they are fine. */
function codeOf(bytes: Uint8Array, lengths: readonly number[], settings: CodecSettings): string {
  const verdict = openDelta(bytes, lengths, settings);
  return verdict.kind === "accept" ? "accept" : verdict.code;
}

/** hi + 2^12 * lo. */
function magnitudes(hi: number, lo: number): number[] {
  const word = hi + lo * 2 ** 12;
  return [word & 255, (word >> 8) & 255, word >> 16];
}

describe("openDelta", () => {
  it("adds factor * D chunk by chunk, returns 0 after the last, and can start again", () => {
    for (const keepPerChunk of KEEPS) {
      for (const valueBits of VALUE_BITS) {
        const settings = { keepPerChunk, valueBits };
        const lengths = [4096 + 17, 5000];
        const { bytes } = encodeDelta(normalResidual("reader", 9113), lengths, settings);
        const delta = decodeDelta(bytes, lengths, settings);
        const opened = openDelta(bytes, lengths, settings);
        if (delta.kind !== "accept" || opened.kind !== "accept") throw new Error("refused");
        for (const factor of [1, -3, 2 ** 20]) {
          opened.value.rewind();
          let at = 0;
          for (const expected of [4096, 17, 4096, 904, 0, 0]) {
            const acc = new Float64Array(CHUNK_LENGTH).fill(7);
            expect(opened.value.addNextChunk(acc, factor)).toBe(expected);
            const values = acc.subarray(0, expected);
            expect(values.findIndex((value, i) => value !== 7 + factor * delta.value[at + i])).toBe(-1);
            expect(acc.subarray(expected).every((value) => value === 7)).toBe(true);
            at += expected;
          }
        }
      }
    }
  });

  it("reads bytes in the middle of a greater buffer", () => {
    const { bytes, norm } = encodeDelta(normalResidual("offset", 5000), [5000], SPARSE);
    const buffer = new Uint8Array(bytes.length + 9).fill(255);
    buffer.set(bytes, 5);
    const opened = openDelta(buffer.subarray(5, 5 + bytes.length), [5000], SPARSE);
    expect(opened.kind === "accept" && opened.value.norm).toBe(norm);
  });

  it("F16: a delta under other settings, of another layout, version or kind is refused, and says why", () => {
    const { bytes } = encodeDelta(normalResidual("head", 5000), [5000], SPARSE);
    const changed = (at: number): Uint8Array => {
      const copy = bytes.slice();
      copy[at] ^= 1;
      return resealed(copy);
    };
    expect(codeOf(bytes, [5000], SPARSE)).toBe("accept");
    expect(codeOf(bytes, [5000], { ...SPARSE, keepPerChunk: 65 })).toBe("DELTA_SETTINGS");
    expect(codeOf(bytes, [2500, 2500], SPARSE)).toBe("DELTA_LAYOUT");
    expect(codeOf(bytes, [4999], SPARSE)).toBe("DELTA_LAYOUT");
    expect(codeOf(changed(0), [5000], SPARSE)).toBe("DELTA_MAGIC");
    expect(codeOf(changed(4), [5000], SPARSE)).toBe("DELTA_VERSION");
    expect(codeOf(changed(5), [5000], SPARSE)).toBe("DELTA_SETTINGS");
    expect(codeOf(changed(8), [5000], SPARSE)).toBe("DELTA_LAYOUT");
    expect(codeOf(changed(16), [5000], SPARSE)).toBe("DELTA_LAYOUT");
  });

  it("F16: a wrong checksum is refused", () => {
    const { bytes } = encodeDelta(normalResidual("checksum", 5000), [5000], SPARSE);
    bytes[30] ^= 1;
    expect(codeOf(bytes, [5000], SPARSE)).toBe("DELTA_CHECKSUM");
  });

  it("F16: every truncation is refused, with a right checksum too, and so is a longer one", () => {
    const lengths = [300, 4096];
    const { bytes } = encodeDelta(normalResidual("truncated", 4396), lengths, SPARSE);
    for (let size = 0; size < bytes.length; size++) {
      expect(codeOf(bytes.subarray(0, size), lengths, SPARSE)).toMatch(/^DELTA_(SIZE|CHECKSUM)$/);
      expect(codeOf(resealed(bytes.subarray(0, size)), lengths, SPARSE)).toMatch(/^DELTA_(SIZE|TRUNCATED)$/);
    }
    const longer = resealed(Uint8Array.of(...bytes, 0));
    expect(codeOf(longer, lengths, SPARSE)).toBe("DELTA_SIZE");
    const huge = new Uint8Array(deltaBytesMax(lengths, SPARSE) + 1);
    expect(codeOf(huge, lengths, SPARSE)).toBe("DELTA_SIZE");
  });

  // One tensor of 4: dense is one byte of codes. One of 65 at 1/64: two kept, gaps with p = 4.
  const head = magnitudes(200, 100);
  it.each([
    ["accept", DENSE, [4], [...head, 0b11_10_01_00]],
    ["accept", DENSE, [4], [0, 0, 0]],
    ["accept", SPARSE, [65], [...head, 0b0000_11_00, 0b001_00001, 0b0]],
    ["DELTA_TRUNCATED", DENSE, [4], head],
    ["DELTA_SIZE", DENSE, [4], [0, 0, 0, 0]],
  ] as const)("F16: hand-made frames: %s, %j, %j, %j", (code, settings, lengths, body) => {
    expect(codeOf(frameOf(lengths, settings, body), lengths, settings)).toBe(code);
  });

  it("F16: magnitudes that are none, or the wrong way round, are refused", () => {
    const bodyCode = (body: number[]): string => codeOf(frameOf([4], DENSE, body), [4], DENSE);
    expect(bodyCode([...magnitudes(24 * 128 - 1, 0), 0b01_01_01_01])).toBe("accept");
    expect(bodyCode([...magnitudes(24 * 128, 0), 0b01_01_01_01])).toBe("DELTA_MAGNITUDE");
    expect(bodyCode([...magnitudes(100, 101), 0])).toBe("DELTA_MAGNITUDE");
    expect(bodyCode([...magnitudes(0, 1), 0])).toBe("DELTA_MAGNITUDE");
  });

  it("F16: codes that no encoder writes are refused: minus zero, the second of two equal levels", () => {
    const bodyCode = (body: number[]): string => codeOf(frameOf([4], DENSE, body), [4], DENSE);
    expect(bodyCode([...magnitudes(100, 0), 0b00_01_11_00])).toBe("accept");
    expect(bodyCode([...magnitudes(100, 0), 0b00_01_11_10])).toBe("DELTA_CODE");
    expect(bodyCode([...magnitudes(100, 100), 0b00_10_00_10])).toBe("accept");
    expect(bodyCode([...magnitudes(100, 100), 0b00_10_01_10])).toBe("DELTA_CODE");
  });

  it("F16: padding that is not zero is refused, after codes and after indices", () => {
    expect(codeOf(frameOf([3], DENSE, [...head, 0b00_11_10_01]), [3], DENSE)).toBe("accept");
    expect(codeOf(frameOf([3], DENSE, [...head, 0b01_11_10_01]), [3], DENSE)).toBe("DELTA_PADDING");
    // 65 elements, 2 kept, gaps 0 and 0: 10 bits, then 6 of padding.
    const gaps = (last: number): Uint8Array => frameOf([65], SPARSE, [...head, 0, 0b001_00001, last]);
    expect(codeOf(gaps(0), [65], SPARSE)).toBe("accept");
    expect(codeOf(gaps(0b0001_0000), [65], SPARSE)).toBe("DELTA_PADDING");
  });

  it("F16: indices out of range are refused: by a long gap, by a long run of zeros", () => {
    // Gap 63 puts the first index at 63, gap 0 the second at 64, the last there is; one more is too far.
    const frame = (first: number, second: number): Uint8Array => {
      const bits = [first, second].map((gap) => {
        const low = Array.from({ length: 4 }, (_, bit) => String((gap >> bit) & 1)).join("");
        return "0".repeat(gap >> 4) + "1" + low;
      });
      const text = bits.join("").padEnd(16, "0");
      const bytes = text.match(/.{8}/g)!.map((byte) => Number.parseInt(byte.split("").reverse().join(""), 2));
      return frameOf([65], SPARSE, [...head, 0, ...bytes]);
    };
    expect(codeOf(frame(63, 0), [65], SPARSE)).toBe("accept");
    expect(codeOf(frame(62, 1), [65], SPARSE)).toBe("accept");
    expect(codeOf(frame(63, 1), [65], SPARSE)).toBe("DELTA_INDEX");
    expect(codeOf(frame(64, 0), [65], SPARSE)).toBe("DELTA_INDEX");
    const half: CodecSettings = { keepPerChunk: 2048, valueBits: 2 };
    const run = frameOf([4096], half, [...head, ...Array<number>(512 + 512).fill(0)]);
    expect(codeOf(run, [4096], half)).toBe("DELTA_INDEX");
  });
});

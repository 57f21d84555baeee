/** Codes of 2, 4 or 8 bits in bytes, the first in the lowest bits; the last byte is filled up with zero bits. */

export function packedBytes(count: number, valueBits: number): number {
  return Math.ceil((count * valueBits) / 8);
}

/** codes[0..count) to out[at..]; returns the offset after them. Changes codes[count..count+3]. */
export function packCodes(
  out: Uint8Array,
  at: number,
  codes: Uint8Array,
  count: number,
  valueBits: number,
): number {
  const end = at + packedBytes(count, valueBits);
  codes.fill(0, count, count + 3);
  for (let i = 0; at < end; at++) {
    if (valueBits === 2) {
      out[at] =
        (codes[i] as number) |
        ((codes[i + 1] as number) << 2) |
        ((codes[i + 2] as number) << 4) |
        ((codes[i + 3] as number) << 6);
      i += 4;
    } else if (valueBits === 4) {
      out[at] = (codes[i] as number) | ((codes[i + 1] as number) << 4);
      i += 2;
    } else out[at] = codes[i++] as number;
  }
  return end;
}

/**
 * The inverse, into codes[0..count), which needs room for 3 more; the caller has checked that the bytes are there.
 * Returns whether the unused bits of the last byte are zero.
 */
export function unpackCodes(
  bytes: Uint8Array,
  at: number,
  codes: Uint8Array,
  count: number,
  valueBits: number,
): boolean {
  const end = at + packedBytes(count, valueBits);
  let i = 0;
  for (; at < end; at++) {
    const byte = bytes[at] as number;
    if (valueBits === 2) {
      codes[i] = byte & 3;
      codes[i + 1] = (byte >> 2) & 3;
      codes[i + 2] = (byte >> 4) & 3;
      codes[i + 3] = byte >> 6;
      i += 4;
    } else if (valueBits === 4) {
      codes[i] = byte & 15;
      codes[i + 1] = byte >> 4;
      i += 2;
    } else codes[i++] = byte;
  }
  for (let unused = count; unused < i; unused++) if (codes[unused] !== 0) return false;
  return true;
}

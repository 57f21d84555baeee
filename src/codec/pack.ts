/** Codes of 2, 4 or 8 bits in bytes, the first in the lowest bits; the last byte is filled up with zero bits. */

/** Codes arrays need room for this many more than their codes: the last byte is packed and unpacked whole. */
export const CODES_SLACK = 3;

export function packedBytes(count: number, valueBits: number): number {
  return Math.ceil((count * valueBits) / 8);
}

/** codes[0..count) to out[at..]; returns the offset after them. Clears the slack after codes[count - 1]. */
export function packCodes(
  out: Uint8Array,
  at: number,
  codes: Uint8Array,
  { count, valueBits }: { count: number; valueBits: number },
): number {
  const end = at + packedBytes(count, valueBits);
  const perByte = 8 / valueBits;
  codes.fill(0, count, count + CODES_SLACK);
  for (let i = 0; at < end; i += perByte) {
    let byte = 0;
    for (let part = 0; part < perByte; part++) byte |= codes[i + part] << (part * valueBits);
    out[at++] = byte;
  }
  return end;
}

/**
 * The inverse, into codes[0..count); the caller has checked that the bytes are there. Returns whether the unused bits
 * of the last byte are zero.
 */
export function unpackCodes(
  bytes: Uint8Array,
  at: number,
  codes: Uint8Array,
  { count, valueBits }: { count: number; valueBits: number },
): boolean {
  const packed = bytes.subarray(at, at + packedBytes(count, valueBits));
  if (valueBits === 2) unpackPairs(packed, codes);
  else if (valueBits === 4) unpackNibbles(packed, codes);
  else codes.set(packed);
  for (let i = (packed.length * 8) / valueBits; i > count; i--) if (codes[i - 1] !== 0) return false;
  return true;
}

// Written out: every delta of a round passes through here twice, and a loop over the parts took twice as long.
function unpackPairs(packed: Uint8Array, codes: Uint8Array): void {
  for (let at = 0, i = 0; at < packed.length; at++, i += 4) {
    const byte = packed[at];
    codes[i] = byte & 3;
    codes[i + 1] = (byte >> 2) & 3;
    codes[i + 2] = (byte >> 4) & 3;
    codes[i + 3] = byte >> 6;
  }
}

function unpackNibbles(packed: Uint8Array, codes: Uint8Array): void {
  for (let at = 0, i = 0; at < packed.length; at++, i += 2) {
    const byte = packed[at];
    codes[i] = byte & 15;
    codes[i + 1] = byte >> 4;
  }
}

/** Codes of 2, 4 or 8 bits in bytes, the first in the lowest bits; the last byte is filled up with zero bits. */

/** Codes arrays need room for this many more than their codes: the last byte is packed and unpacked whole. */
export const CODES_SLACK = 3;

/** Codes as they lie in `bytes` from `at` on; whoever makes one has checked that the bytes are there. */
export interface PackedCodes {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly count: number;
  readonly valueBits: number;
}

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
  codes.fill(0, count, count + CODES_SLACK);
  if (valueBits === 8) out.set(codes.subarray(0, count), at);
  else if (valueBits === 4) for (let i = 0; at < end; i += 2) out[at++] = codes[i] | (codes[i + 1] << 4);
  else {
    for (let i = 0; at < end; i += 4) {
      out[at++] = codes[i] | (codes[i + 1] << 2) | (codes[i + 2] << 4) | (codes[i + 3] << 6);
    }
  }
  return end;
}

/** Whether the unused bits of the last byte are zero. */
export function isPadded({ bytes, at, count, valueBits }: PackedCodes): boolean {
  const used = (count * valueBits) & 7;
  return used === 0 || bytes[at + packedBytes(count, valueBits) - 1] >> used === 0;
}

/** The inverse of `packCodes`, into codes[0..count) and its slack. */
export function unpackCodes(codes: Uint8Array, { bytes, at, count, valueBits }: PackedCodes): void {
  const end = at + packedBytes(count, valueBits);
  if (valueBits === 2) unpackPairs(codes, bytes, at, end);
  else if (valueBits === 4) unpackNibbles(codes, bytes, at, end);
  else for (let i = 0; at < end; i++) codes[i] = bytes[at++];
}

// Written out: a loop over the parts of a byte takes twice as long.
function unpackPairs(codes: Uint8Array, bytes: Uint8Array, at: number, end: number): void {
  for (let i = 0; at < end; i += 4) {
    const byte = bytes[at++];
    codes[i] = byte & 3;
    codes[i + 1] = (byte >> 2) & 3;
    codes[i + 2] = (byte >> 4) & 3;
    codes[i + 3] = byte >> 6;
  }
}

function unpackNibbles(codes: Uint8Array, bytes: Uint8Array, at: number, end: number): void {
  for (let i = 0; at < end; i += 2) {
    const byte = bytes[at++];
    codes[i] = byte & 15;
    codes[i + 1] = byte >> 4;
  }
}

/**
 * counts[code] += how often it occurs, for many codes: bytes are counted first, into byBytes (256,), since one of 2-bit
 * codes stands for four.
 */
export function countCodes(counts: Int32Array, byBytes: Int32Array, packed: PackedCodes): void {
  const { bytes, at, count, valueBits } = packed;
  const end = at + packedBytes(count, valueBits);
  byBytes.fill(0);
  for (let i = at; i < end; i++) {
    const byte = bytes[i];
    byBytes[byte]++;
  }
  const mask = 2 ** valueBits - 1;
  for (let shift = 0; shift < 8; shift += valueBits) {
    for (let byte = 0; byte < 256; byte++) counts[(byte >> shift) & mask] += byBytes[byte];
  }
  counts[0] -= ((end - at) * 8) / valueBits - count; // the padding
}

/**
 * acc[i] += products[code i]. Straight from the bytes and written out: every dense delta of a round passes through
 * here twice, and unpacking first took 1.7 times as long (docs/log.md).
 */
export function addCodes(acc: Float64Array, products: Float64Array, packed: PackedCodes): void {
  const { bytes, at, count, valueBits } = packed;
  const perByte = 8 / valueBits;
  const whole = count - (count % perByte);
  if (valueBits === 2) addPairs(acc, products, bytes, at, whole);
  else if (valueBits === 4) addNibbles(acc, products, bytes, at, whole);
  else for (let i = 0; i < whole; i++) acc[i] += products[bytes[at + i]];
  const mask = 2 ** valueBits - 1;
  const last = bytes[at + whole / perByte];
  for (let i = whole; i < count; i++) acc[i] += products[(last >> ((i - whole) * valueBits)) & mask];
}

function addPairs(
  acc: Float64Array,
  products: Float64Array,
  bytes: Uint8Array,
  at: number,
  count: number,
): void {
  for (let i = 0; i < count; i += 4) {
    const byte = bytes[at++];
    acc[i] += products[byte & 3];
    acc[i + 1] += products[(byte >> 2) & 3];
    acc[i + 2] += products[(byte >> 4) & 3];
    acc[i + 3] += products[byte >> 6];
  }
}

function addNibbles(
  acc: Float64Array,
  products: Float64Array,
  bytes: Uint8Array,
  at: number,
  count: number,
): void {
  for (let i = 0; i < count; i += 2) {
    const byte = bytes[at++];
    acc[i] += products[byte & 15];
    acc[i + 1] += products[byte >> 4];
  }
}

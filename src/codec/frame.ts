/**
 * The bytes of a delta, version 1. Integers are unsigned and little-endian, bits go from the lowest up.
 *
 *   0  4  magic "SDLT"      6  2  keepPerChunk         16  8  first 8 bytes of sha256(lengths), 8 bytes per length
 *   4  1  version, 1        8  8  parameter count      24  .  chunks, in the order of the tensors
 *   5  1  valueBits                                   end  4  first 4 bytes of sha256(all bytes before)
 *
 * A chunk is up to 4096 elements of one tensor; k = ceil(keepPerChunk * L / 4096) of its L are kept, the others zero.
 *   3  hi + 2^12 * lo, two codes of magnitudes, lo <= hi; 0 says that the chunk is zero, and nothing follows
 *      magnitude(c) = c below 2^7, else (2^7 + c mod 2^7) * 2^(floor(c / 2^7) - 1); c < 24 * 2^7   (magnitude.ts)
 *   .  k codes of valueBits, then zero bits to a full byte; code = s * n + j, n = 2^(valueBits - 1)    (pack.ts)
 *      value = (-1)^s * (lo + round((hi - lo) * j / (n - 1))); no -0, of equal magnitudes the least j  (levels.ts)
 *   .  when k < L: k ascending indices, then zero bits to a full byte; gap = elements skipped before this one
 *      floor(gap / 2^p) zeros, a one, p low bits of gap; p is the least with 13 (2L - k) <= 54 k 2^p     (rice.ts)
 */
import { type Refused, reject, sha256 } from "../core/index.ts";
import { chunkCount, layoutDigest, parameterCount } from "./layout.ts";
import { packedBytes } from "./pack.ts";
import { gapsBytesMax } from "./rice.ts";
import { CHUNK_LENGTH, type CodecSettings, assertSettings, keptOf } from "./settings.ts";

const MAGIC = new TextEncoder().encode("SDLT");
const VERSION = 1;
export const HEAD_BYTES = 24;
export const CHECKSUM_BYTES = 4;
/** The two magnitudes that every chunk begins with; all that a zero chunk has. */
export const CHUNK_HEAD_BYTES = 3;

/** The most bytes that a delta of these settings can have; reached by an unlucky one, so it is not padded. */
export function deltaBytesMax(lengths: readonly number[], settings: CodecSettings): number {
  assertSettings(settings);
  let total = HEAD_BYTES + CHECKSUM_BYTES;
  for (const length of lengths) {
    const rest = length % CHUNK_LENGTH;
    total += Math.floor(length / CHUNK_LENGTH) * chunkBytesMax(CHUNK_LENGTH, settings);
    if (rest > 0) total += chunkBytesMax(rest, settings);
  }
  return total;
}

function chunkBytesMax(length: number, settings: CodecSettings): number {
  const kept = keptOf(length, settings);
  const gaps = kept < length ? gapsBytesMax(length, kept) : 0;
  return CHUNK_HEAD_BYTES + packedBytes(kept, settings.valueBits) + gaps;
}

/** Writes the head into the first 24 bytes of `out`. */
export function writeHead(out: Uint8Array, lengths: readonly number[], settings: CodecSettings): void {
  out.set(headOf(lengths, settings));
}

/** Writes the checksum of out[0..end) behind it; returns the offset after it. */
export function writeChecksum(out: Uint8Array, end: number): number {
  out.set(sha256(out.subarray(0, end)).subarray(0, CHECKSUM_BYTES), end);
  return end + CHECKSUM_BYTES;
}

/** What is wrong with size, head or checksum; undefined when nothing is. */
export function checkFrame(
  bytes: Uint8Array,
  lengths: readonly number[],
  settings: CodecSettings,
): Refused | undefined {
  const least = HEAD_BYTES + CHECKSUM_BYTES + CHUNK_HEAD_BYTES * chunkCount(lengths);
  const most = deltaBytesMax(lengths, settings);
  if (bytes.length < least || bytes.length > most) {
    return reject("DELTA_SIZE", `expected ${least} to ${most} bytes, got ${bytes.length}`);
  }
  const head = headOf(lengths, settings);
  const wrong = head.findIndex((byte, i) => bytes[i] !== byte);
  if (wrong >= 0) {
    const { code, field } = fieldAt(wrong);
    return reject(
      code,
      `expected ${field} as in this run, head ${hex(head)}, got ${hex(bytes.subarray(0, HEAD_BYTES))}`,
    );
  }
  const end = bytes.length - CHECKSUM_BYTES;
  const checksum = sha256(bytes.subarray(0, end)).subarray(0, CHECKSUM_BYTES);
  if (Buffer.compare(checksum, bytes.subarray(end)) !== 0) {
    return reject("DELTA_CHECKSUM", `expected checksum ${hex(checksum)}, got ${hex(bytes.subarray(end))}`);
  }
  return undefined;
}

function headOf(lengths: readonly number[], settings: CodecSettings): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  const view = new DataView(head.buffer);
  head.set(MAGIC);
  head[4] = VERSION;
  head[5] = settings.valueBits;
  view.setUint16(6, settings.keepPerChunk, true);
  view.setBigUint64(8, BigInt(parameterCount(lengths)), true);
  head.set(layoutDigest(lengths), 16);
  return head;
}

function fieldAt(offset: number): { code: string; field: string } {
  if (offset < 4) return { code: "DELTA_MAGIC", field: "the magic" };
  if (offset < 5) return { code: "DELTA_VERSION", field: "the version" };
  if (offset < 8) return { code: "DELTA_SETTINGS", field: "valueBits and keepPerChunk" };
  return { code: "DELTA_LAYOUT", field: "the tensors' lengths" };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

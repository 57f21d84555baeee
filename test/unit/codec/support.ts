/** What the tests of this room share: residuals like real ones, and frames made by hand. */
import { SeededRandom } from "../../../src/core/index.ts";
import { HEAD_BYTES, writeChecksum, writeHead } from "../../../src/codec/frame.ts";
import type { CodecSettings } from "../../../src/codec/index.ts";

export const VALUE_BITS = [2, 4, 8] as const;
export const KEEPS = [16, 64, 100, 2048, 4095, 4096] as const;

/** Normal with standard deviation `sigma` (fixed-point units), (count,). */
export function normalResidual(seed: string, count: number, sigma = 30_000): Int32Array {
  const random = new SeededRandom(seed);
  return Int32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random.unit()));
    return Math.round(sigma * radius * Math.cos(2 * Math.PI * random.unit()));
  });
}

/** A frame with the right head and checksum around any body. */
export function frameOf(
  lengths: readonly number[],
  settings: CodecSettings,
  body: readonly number[],
): Uint8Array {
  const frame = new Uint8Array(HEAD_BYTES + body.length + 4);
  writeHead(frame, lengths, settings);
  frame.set(body, HEAD_BYTES);
  writeChecksum(frame, HEAD_BYTES + body.length);
  return frame;
}

/** The same frame with the checksum that its other bytes ask for. */
export function resealed(frame: Uint8Array): Uint8Array {
  const copy = frame.slice();
  if (copy.length >= 4) writeChecksum(copy, copy.length - 4);
  return copy;
}

/** floor(sqrt(sum x^2)) the slow way. */
export function slowNorm(values: Int32Array): number {
  let sum = 0n;
  for (const value of values) if (value !== 0) sum += BigInt(value) ** 2n;
  let root = 0n;
  for (let bit = 1n << 52n; bit > 0n; bit >>= 1n) if ((root + bit) ** 2n <= sum) root += bit;
  return Number(root);
}

/** How the tensors of a model are cut into chunks: row-major, in order, and never across two tensors. */
import { assert, bytesOf, sha256 } from "../core/index.ts";
import { CHUNK_LENGTH } from "./settings.ts";

/** Keeps every norm below 2^53: sqrt(2^40) * 2^30 = 2^50. Far above any model of one node. */
const PARAMETERS_MAX = 2 ** 40;

/** Sum of the lengths: P. */
export function parameterCount(lengths: readonly number[]): number {
  let count = 0;
  for (const length of lengths) {
    assert(Number.isInteger(length) && length >= 0, `a tensor's length is a count, got ${length}`);
    count += length;
  }
  assert(count <= PARAMETERS_MAX, `at most ${PARAMETERS_MAX} parameters, got ${count}`);
  return count;
}

/** Length of every chunk in order; all are 4096 but the last of each tensor. */
export function chunkLengths(lengths: readonly number[]): Uint16Array {
  const chunks = new Uint16Array(chunkCount(lengths)); // (chunks,)
  let at = 0;
  for (const length of lengths) {
    for (let left = length; left > 0; left -= CHUNK_LENGTH) chunks[at++] = Math.min(left, CHUNK_LENGTH);
  }
  return chunks;
}

/** Length of the longest chunk: what scratch for one needs, so that small models cost little. */
export function chunkLengthMax(lengths: readonly number[]): number {
  let longest = 0;
  for (const length of lengths) longest = Math.max(longest, Math.min(length, CHUNK_LENGTH));
  return longest;
}

export function chunkCount(lengths: readonly number[]): number {
  let count = 0;
  for (const length of lengths) count += Math.ceil(length / CHUNK_LENGTH);
  return count;
}

/** First 8 bytes of the sha256 over the lengths, each as 8 bytes, little-endian. */
export function layoutDigest(lengths: readonly number[]): Uint8Array {
  return sha256(bytesOf(BigUint64Array.from(lengths, BigInt))).subarray(0, 8);
}

import { sha256, digestFromBytes } from "./hash.ts";
import type { Digest } from "./ids.ts";

/** Bodies, checkpoints and state roots are all cut into blocks of this size; the last one may be shorter. */
export const BLOCK_BYTES: number = 2 ** 20;

/** The views of at most `BLOCK_BYTES` each that make up `bytes`, in order; none for no bytes. */
export function blocksOf(bytes: Uint8Array): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) blocks.push(bytes.subarray(at, at + BLOCK_BYTES));
  return blocks;
}

/**
 * Binary Merkle tree over 32-byte leaves. A parent is sha256(0x01 | left | right); an odd one out moves up as it
 * is; no leaves give sha256 of nothing. Leaves are the sha256 of blocks, so they are also the blocks' CIDs.
 */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  let level = leaves;
  if (level.length === 0) return sha256(new Uint8Array(0));
  const pair = new Uint8Array(65);
  pair[0] = 1;
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] as Uint8Array;
      const right = level[i + 1];
      if (right === undefined) next.push(left);
      else {
        pair.set(left, 1);
        pair.set(right, 33);
        next.push(sha256(pair));
      }
    }
    level = next;
  }
  return level[0] as Uint8Array;
}

/** The Merkle root of the 1 MiB blocks of `bytes`. */
export function rootOfBytes(bytes: Uint8Array): Digest {
  return digestFromBytes(merkleRoot(blocksOf(bytes).map(sha256)));
}

/** The bytes under a typed array, little-endian as on every machine that we run on; no copy. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

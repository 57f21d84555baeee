/** An author's peer id is its Ed25519 public key with a prefix, so the one can be read off the other. */
import { base58btc } from "multiformats/bases/base58";
import type { PeerId } from "../core/index.ts";

/** Identity multihash of the protobuf public key, whose last 32 bytes are the key (libp2p peer ids specification). */
const ED25519_PEER_ID_PREFIX = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

export function isEd25519PeerId(bytes: Uint8Array): boolean {
  return bytes.length === 38 && ED25519_PEER_ID_PREFIX.every((byte, i) => bytes[i] === byte);
}

/** The 32 bytes of the public key; undefined when the text is no Ed25519 peer id in base58. */
export function authorKey(author: PeerId | string): Uint8Array | undefined {
  try {
    const bytes = base58btc.baseDecode(author);
    return isEd25519PeerId(bytes) ? bytes.subarray(ED25519_PEER_ID_PREFIX.length) : undefined;
  } catch {
    // Not base58 at all: the caller says what was expected.
    return undefined;
  }
}

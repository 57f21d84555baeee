/** What the makers of the vectors share: how bytes are written down, and bytes that need not be. */
import { generateKeyPairFromSeed } from "@libp2p/crypto/keys";
import type { PrivateKey } from "@libp2p/interface";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { type PeerId, bytesOf, sha256 } from "../../../src/core/index.ts";

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Typed arrays as their little-endian bytes. */
export function base64(array: ArrayBufferView): string {
  return Buffer.from(bytesOf(array)).toString("base64");
}

/** byte[i] = i mod 251: blocks of it differ, and no megabytes have to be stored. */
export function patternBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i % 251;
  return bytes;
}

export interface Keyed {
  readonly key: PrivateKey;
  readonly peer: PeerId;
  /** The 32 bytes of the private key, RFC 8032. */
  readonly secret: string;
}

/** A real key pair, the same every time. */
export async function keyOf(name: string): Promise<Keyed> {
  const secret = sha256(new TextEncoder().encode(name));
  const key = await generateKeyPairFromSeed("Ed25519", secret);
  return { key, peer: peerIdFromPrivateKey(key).toString() as PeerId, secret: hex(secret) };
}

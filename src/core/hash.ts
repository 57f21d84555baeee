import { hash } from "node:crypto";
import type { Digest } from "./ids.ts";

/** sha2-256 of bytes, as 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}

/** sha2-256 of bytes, as hex. */
export function digestOf(bytes: Uint8Array): Digest {
  return hash("sha256", bytes, "hex") as Digest;
}

export function digestFromBytes(bytes: Uint8Array): Digest {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex") as Digest;
}

export function digestToBytes(digest: Digest): Uint8Array {
  return new Uint8Array(Buffer.from(digest, "hex"));
}

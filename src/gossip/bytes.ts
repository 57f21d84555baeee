/** Bytes from libp2p are often Buffers, whose `slice` shares memory where Uint8Array's copies; nobody outside should meet one. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

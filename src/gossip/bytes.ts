import { CID } from "multiformats/cid";
import { type Cid, checkCid } from "../core/index.ts";

/** Bytes from libp2p are often Buffers, whose `slice` shares memory where Uint8Array's copies; nobody outside should meet one. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The CID in its binary form; undefined for anything else. */
export function cidIn(bytes: Uint8Array): Cid | undefined {
  try {
    const cid = CID.decode(bytes);
    return checkCid(cid) === undefined ? undefined : (cid.toString() as Cid);
  } catch {
    // Not a CID at all: the verdict says what was expected.
    return undefined;
  }
}

import { CID } from "multiformats/cid";
import * as Digest from "multiformats/hashes/digest";
import { digestToBytes, sha256 } from "./hash.ts";
import type { Cid, Digest as Sha256 } from "./ids.ts";

const SHA2_256 = 0x12;
export const RAW = 0x55;
export const DAG_CBOR = 0x71;

/** The CIDv1 (sha2-256) of bytes; `codec` says what the bytes are: `RAW` or `DAG_CBOR`. */
export function cidOf(bytes: Uint8Array, codec: number): Cid {
  return CID.createV1(codec, Digest.create(SHA2_256, sha256(bytes))).toString() as Cid;
}

/** The CID of bytes whose sha2-256 is known. */
export function cidOfDigest(digest: Sha256, codec: number): Cid {
  return CID.createV1(codec, Digest.create(SHA2_256, digestToBytes(digest))).toString() as Cid;
}

/** The text of a CID, or undefined unless it is a CIDv1 with sha2-256 of one of our two codecs. */
export function parseCid(text: string): CID | undefined {
  try {
    return checkCid(CID.parse(text));
  } catch {
    // Not a CID at all: the caller says what was expected.
    return undefined;
  }
}

/** The same test for a CID that is already decoded, such as a link inside DAG-CBOR. */
export function checkCid(cid: CID): CID | undefined {
  const known = cid.code === RAW || cid.code === DAG_CBOR;
  const plain = cid.version === 1 && cid.multihash.code === SHA2_256 && cid.multihash.digest.length === 32;
  return known && plain ? cid : undefined;
}

/** Whether bytes are the ones that the CID names. */
export function matchesCid(cid: Cid, bytes: Uint8Array): boolean {
  const parsed = parseCid(cid);
  return parsed !== undefined && Buffer.compare(parsed.multihash.digest, sha256(bytes)) === 0;
}

/**
 * The DAG-CBOR node over a body of more than 1 MiB: `{ bytes, blocks }`, the size of the body and the CIDs of its 1 MiB
 * raw blocks in order (the last one may be shorter). There is exactly one node for a body: anything that would not be
 * written like this again is refused.
 */
import { decode, encode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import {
  BLOCK_BYTES,
  type Cid,
  RAW,
  type Verdict,
  accept,
  checkCid,
  messageOf,
  reject,
} from "../core/index.ts";

export interface BodyNode {
  /** Of the whole body; above `BLOCK_BYTES`, or it would be a raw block itself. */
  readonly bytes: number;
  readonly blocks: readonly Cid[];
}

/** A CID in DAG-CBOR: tag 42 (2 bytes), byte string header (2), a zero, 36 bytes of CID. */
const LINK_BYTES = 41;
/** Map header (1), "bytes" (6), unsigned (9 at most), "blocks" (7), array header (9 at most). */
const FRAME_BYTES_MAX = 32;

/** The largest body whose node is itself within a block: 25 GB. */
export const BODY_BYTES_MAX: number = Math.floor((BLOCK_BYTES - FRAME_BYTES_MAX) / LINK_BYTES) * BLOCK_BYTES;

/** An upper bound of the size of the node over a body of `bytes`. */
export function nodeBytesMax(bytes: number): number {
  return FRAME_BYTES_MAX + Math.ceil(bytes / BLOCK_BYTES) * LINK_BYTES;
}

export function encodeBodyNode(node: BodyNode): Uint8Array {
  return encode({ bytes: node.bytes, blocks: node.blocks.map((cid) => CID.parse(cid)) });
}

/** The size of the block at `index` of the body. */
export function childBytes(node: BodyNode, index: number): number {
  return Math.min(BLOCK_BYTES, node.bytes - index * BLOCK_BYTES);
}

/** Never throws; `node` is what a peer made. */
export function decodeBodyNode(node: Uint8Array, bytesMax: number): Verdict<BodyNode> {
  let decoded: { bytes?: unknown; blocks?: unknown } | null;
  try {
    decoded = decode(node);
  } catch (error) {
    // Not DAG-CBOR.
    return malformed(`expected DAG-CBOR, got ${messageOf(error)}`);
  }
  const { bytes, blocks } = decoded ?? {};
  if (typeof bytes !== "number" || !Number.isSafeInteger(bytes) || bytes <= BLOCK_BYTES)
    return malformed(`expected an integer above ${BLOCK_BYTES} as the size`);
  if (bytes > bytesMax)
    return reject("BODY_TOO_LARGE", `expected a body of at most ${bytesMax} bytes, got a node for ${bytes}`);
  const count = Math.ceil(bytes / BLOCK_BYTES);
  if (!Array.isArray(blocks) || blocks.length !== count)
    return malformed(`expected ${count} blocks for ${bytes} bytes`);
  const links = blocks.map((link) => (link instanceof CID ? checkCid(link) : undefined));
  if (!links.every((link) => link?.code === RAW)) return malformed("expected raw blocks with sha2-256");
  const body: BodyNode = { bytes, blocks: links.map((link) => String(link) as Cid) };
  if (Buffer.compare(encodeBodyNode(body), node) !== 0) return malformed("expected the canonical encoding");
  return accept(body);
}

function malformed(detail: string): Verdict<never> {
  return reject("BODY_NODE_MALFORMED", detail);
}

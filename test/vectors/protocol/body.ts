/** body.json: bodies of patternBytes, their blocks, node and CID. */
import { DAG_CBOR, cidOf } from "../../../src/core/index.ts";
import { RAW, blocksOf } from "../../../src/core/index.ts";
import { bodyCid } from "../../../src/storage/index.ts";
import { encodeBodyNode } from "../../../src/storage/body-node.ts";
import { hex, patternBytes } from "./support.ts";

export interface BodyVector {
  /** Length of the body; byte i is i mod 251. */
  bytes: number;
  cid: string;
  /** CIDs of the 1 MiB blocks, and the node over them, hex; null where the body is one raw block. */
  blocks: string[] | null;
  node: string | null;
}

export function bodyVectors(): BodyVector[] {
  return [0, 1, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20, 3 * 2 ** 20 + 70_000].map((length) => {
    const body = patternBytes(length);
    const cid = bodyCid(body);
    if (length <= 2 ** 20) return { bytes: length, cid, blocks: null, node: null };
    const blocks = blocksOf(body).map((block) => cidOf(block, RAW));
    const node = encodeBodyNode({ bytes: length, blocks });
    if (cidOf(node, DAG_CBOR) !== cid) throw new Error("expected the node to be what the body's CID names");
    return { bytes: length, cid, blocks, node: hex(node) };
  });
}

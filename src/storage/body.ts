/**
 * A body of any size under one CID: up to 1 MiB it is a raw block, above that a DAG-CBOR node over raw blocks of 1 MiB.
 * So the CID of a body is known before anything is sent, every block is checked by itself, and several peers can
 * serve it at once.
 */
import {
  BLOCK_BYTES,
  type Cid,
  DAG_CBOR,
  RAW,
  type Refused,
  type Verdict,
  accept,
  assert,
  blocksOf,
  cidOf,
  ignore,
  matchesCid,
  parseCid,
  reject,
} from "../core/index.ts";
import type { BlockStore } from "./blocks.ts";
import { BODY_BYTES_MAX, childBytes, decodeBodyNode, encodeBodyNode, nodeBytesMax } from "./body-node.ts";
import { forEachParallel } from "./parallel.ts";

/** How many blocks of one body are on their way at once. Guess: enough to hide the latency of one holder. */
const PULLS_MAX = 4;

interface Block {
  readonly cid: Cid;
  readonly bytes: Uint8Array;
}

/** Gets a block and what `check` makes of it. */
type Take = <T>(cid: Cid, check: (block: Uint8Array) => Verdict<T>) => Promise<Verdict<T>>;

/** Stores a body of at most 25 GB, its node last, so that a node on disk had all its blocks. */
export async function putBody(blocks: Pick<BlockStore, "put">, bytes: Uint8Array): Promise<Cid> {
  const { root, children } = cut(bytes);
  await forEachParallel(children, PULLS_MAX, (block) => blocks.put(block.cid, block.bytes));
  await blocks.put(root.cid, root.bytes);
  return root.cid;
}

/** The CID of a body, without storing it. */
export function bodyCid(bytes: Uint8Array): Cid {
  return cut(bytes).root.cid;
}

function cut(bytes: Uint8Array): { root: Block; children: Block[] } {
  assert(
    bytes.length <= BODY_BYTES_MAX,
    `expected a body of at most ${BODY_BYTES_MAX} bytes, got ${bytes.length}`,
  );
  if (bytes.length <= BLOCK_BYTES) return { root: { cid: cidOf(bytes, RAW), bytes }, children: [] };
  const children = blocksOf(bytes).map((block): Block => ({ cid: cidOf(block, RAW), bytes: block }));
  const node = encodeBodyNode({ bytes: bytes.length, blocks: children.map((child) => child.cid) });
  return { root: { cid: cidOf(node, DAG_CBOR), bytes: node }, children };
}

/** The body, or undefined when a block of it is missing or when it is not a body of at most `bytesMax`. */
export async function getBody(
  blocks: BlockStore,
  cid: Cid,
  bytesMax: number,
): Promise<Uint8Array | undefined> {
  const body = await assemble(cid, bytesMax, async (child, check) => {
    const held = await blocks.get(child);
    return held === undefined ? ignore("BODY_MISSING", `expected ${child} on disk`) : check(held);
  });
  return body.kind === "accept" ? body.value : undefined;
}

/**
 * The body out of blocks as `read` finds them, every one checked, and nothing changed: `BODY_MISSING` (ignored) when one
 * is not there, else the codes of `pullBody`; the block is named in the detail.
 */
export async function readBody(
  read: (cid: Cid) => Promise<Uint8Array | undefined>,
  cid: Cid,
  bytesMax: number,
): Promise<Verdict<Uint8Array>> {
  return assemble(cid, bytesMax, async (child, check) => {
    const bytes = await read(child);
    if (bytes === undefined) return ignore("BODY_MISSING", `expected block ${child}, got none`);
    if (matchesCid(child, bytes)) return check(bytes);
    return reject(
      "BODY_BLOCK_HASH",
      `expected the bytes of block ${child}, got those of ${actualCid(child, bytes)}`,
    );
  });
}

/** What a block with these bytes would be called, in the codec of the name that it does not have. */
function actualCid(named: Cid, bytes: Uint8Array): Cid {
  return cidOf(bytes, parseCid(named)?.code ?? RAW);
}

/**
 * The body, with the blocks that are missing pulled by `fetch`, at most 4 at a time, and stored. Allocates one body of
 * the size that its node states, after that was checked. Rejects only with what `fetch` or the disk rejects with, and
 * not before all that was started is done.
 *
 * Codes: `BODY_CID`, `BODY_TOO_LARGE`, `BODY_NODE_MALFORMED`, `BODY_BLOCK_SIZE` are the doing of whoever named the
 * CID; `BODY_BLOCK_HASH` of whoever served the block.
 */
export async function pullBody(
  blocks: BlockStore,
  cid: Cid,
  o: { bytesMax: number; fetch: (cid: Cid) => Promise<Uint8Array> },
): Promise<Verdict<Uint8Array>> {
  return assemble(cid, o.bytesMax, async (child, check) => {
    const held = await blocks.get(child);
    if (held !== undefined) return check(held);
    const fetched = await o.fetch(child);
    // The hash first: until it is right, nothing else about the block is anybody's but the server's fault.
    if (!matchesCid(child, fetched))
      return reject("BODY_BLOCK_HASH", `expected the bytes of ${child}, got others`);
    const verdict = check(fetched);
    if (verdict.kind === "accept") await blocks.put(child, fetched);
    return verdict;
  });
}

/**
 * The CIDs that a body on disk is made of, its own last: what to delete when it is pruned. Only its own when it is a
 * raw block, or when its node is missing or malformed.
 */
export async function bodyBlocks(blocks: BlockStore, cid: Cid): Promise<Cid[]> {
  if (parseCid(cid)?.code !== DAG_CBOR) return [cid];
  const bytes = await blocks.get(cid);
  if (bytes === undefined) return [cid];
  const node = decodeBodyNode(bytes, BODY_BYTES_MAX);
  return node.kind === "accept" ? [...node.value.blocks, cid] : [cid];
}

async function assemble(cid: Cid, bytesMax: number, take: Take): Promise<Verdict<Uint8Array>> {
  const codec = parseCid(cid)?.code;
  if (codec === undefined) return reject("BODY_CID", "expected a CIDv1 with sha2-256, raw or DAG-CBOR");
  if (codec === RAW)
    return take(cid, (block) => within(block, Math.min(BLOCK_BYTES, bytesMax)) ?? accept(block));

  const nodeMax = Math.min(BLOCK_BYTES, nodeBytesMax(bytesMax));
  const node = await take(cid, (block) => within(block, nodeMax) ?? decodeBodyNode(block, bytesMax));
  if (node.kind !== "accept") return node;

  const body = new Uint8Array(node.value.bytes);
  let refused: Refused | undefined;
  await forEachParallel(node.value.blocks.entries(), PULLS_MAX, async ([index, child]) => {
    if (refused !== undefined) return;
    const sizeBytes = childBytes(node.value, index);
    const block = await take(child, (each) => exactly(each, sizeBytes) ?? accept(each));
    if (block.kind === "accept") body.set(block.value, index * BLOCK_BYTES);
    else refused ??= block;
  });
  return refused ?? accept(body);
}

function within(block: Uint8Array, bytesMax: number): Refused | undefined {
  if (block.length <= bytesMax) return undefined;
  return reject("BODY_TOO_LARGE", `expected at most ${bytesMax} bytes, got ${block.length}`);
}

function exactly(block: Uint8Array, sizeBytes: number): Refused | undefined {
  if (block.length === sizeBytes) return undefined;
  return reject("BODY_BLOCK_SIZE", `expected a block of ${sizeBytes} bytes, got ${block.length}`);
}

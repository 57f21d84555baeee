/**
 * A body of any size under one CID: up to 1 MiB it is a raw block, above that a DAG-CBOR node over raw blocks of 1 MiB.
 * So the CID of a body is known before anything is sent, every block is checked by itself, and several peers can
 * serve it at once.
 */
import {
  BLOCK_BYTES,
  type Cid,
  DAG_CBOR,
  type Digest,
  RAW,
  type Refused,
  type Verdict,
  accept,
  assert,
  blocksOf,
  cidOf,
  digestFromBytes,
  ignore,
  matchesCid,
  merkleRoot,
  parseCid,
  reject,
} from "../core/index.ts";
import type { BlockStore } from "./blocks.ts";
import {
  BODY_BYTES_MAX,
  type BodyNode,
  childBytes,
  decodeBodyNode,
  encodeBodyNode,
  nodeBytesMax,
} from "./body-node.ts";
import { forEachParallel } from "./parallel.ts";

/** Blocks of one body that are read or written at once. Guess: enough to keep a disk busy. */
const BLOCKS_AT_ONCE = 4;
/** Reads of a body that found blocks damaged; more mean that the disk is failing. Guess. */
const READS_MAX = 4;

/** A block and its name. */
export interface Block {
  readonly cid: Cid;
  readonly bytes: Uint8Array;
}

/** How missing blocks come: each to be handed to `take` with the bytes that its CID names. */
export interface PullOptions {
  readonly bytesMax: number;
  /** The Merkle root that the blocks must have, checked before any of them is asked for. */
  readonly root?: Digest;
  /** Rejects when they could not all be had, and with what `take` rejects with. */
  readonly fetch: (
    cids: readonly Cid[],
    take: (cid: Cid, block: Uint8Array) => Promise<void>,
  ) => Promise<void>;
}

/** Gets a block and what `check` makes of it. */
type Take = <T>(cid: Cid, check: (block: Uint8Array) => Verdict<T>) => Promise<Verdict<T>>;

/** Stores a body of at most 25 GB, its node last, so that a node on disk had all its blocks. */
export async function putBody(blocks: Pick<BlockStore, "put">, bytes: Uint8Array): Promise<Cid> {
  const { root, children } = cutBody(bytes);
  await forEachParallel(children, BLOCKS_AT_ONCE, (block) => blocks.put(block.cid, block.bytes));
  await blocks.put(root.cid, root.bytes);
  return root.cid;
}

/** The CID of a body, without storing it. */
export function bodyCid(bytes: Uint8Array): Cid {
  return cutBody(bytes).root.cid;
}

/** The blocks that a body of at most 25 GB is made of: raw ones, and what names them all. */
export function cutBody(bytes: Uint8Array): { root: Block; children: Block[] } {
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
  const body = await assembleHeld(blocks, cid, bytesMax);
  return body.kind === "accept" ? body.value : undefined;
}

function assembleHeld(blocks: BlockStore, cid: Cid, bytesMax: number): Promise<Verdict<Uint8Array>> {
  return assemble(cid, bytesMax, async (child, check) => {
    const held = await blocks.get(child);
    return held === undefined ? ignore("BODY_MISSING", `expected ${child} on disk`) : check(held);
  });
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
 * The body, with the blocks that are missing pulled by `fetch` and stored, where others may have them at once; then it is
 * read from the disk, so no more than one block for each under way is held until all are here. Rejects only with
 * what `fetch` or the disk rejects with; what was stored before stays, and is not asked for again.
 *
 * Codes: `BODY_CID`, `BODY_TOO_LARGE`, `BODY_NODE_MALFORMED`, `BODY_BLOCK_SIZE`, `BODY_ROOT` are the doing of whoever named the
 * CID.
 */
export async function pullBody(blocks: BlockStore, cid: Cid, o: PullOptions): Promise<Verdict<Uint8Array>> {
  for (let attempt = 1; ; attempt++) {
    const pulled = await pullBlocks(blocks, cid, o);
    if (pulled.kind !== "accept") return pulled;
    const body = await assembleHeld(blocks, cid, o.bytesMax);
    // A block that was damaged on the disk is found here, where it is read; it is deleted then, and pulled anew.
    const isDamaged = body.kind === "ignore" && body.code === "BODY_MISSING";
    if (!isDamaged || attempt === READS_MAX) return body;
  }
}

/** As `pullBody`, but the body stays on the disk; the value is its size. */
export async function pullBlocks(blocks: BlockStore, cid: Cid, o: PullOptions): Promise<Verdict<number>> {
  const codec = parseCid(cid)?.code;
  if (codec === undefined) return reject("BODY_CID", "expected a CIDv1 with sha2-256, raw or DAG-CBOR");
  if (codec === RAW) {
    const otherRoot = rootMisfit([cid], o.root);
    if (otherRoot !== undefined) return otherRoot;
    const bytesMax = Math.min(BLOCK_BYTES, o.bytesMax);
    return pullOne(blocks, cid, (block) => within(block, bytesMax) ?? accept(block.length), o);
  }
  const nodeMax = Math.min(BLOCK_BYTES, nodeBytesMax(o.bytesMax));
  const node = await pullOne(blocks, cid, (block) => within(block, nodeMax) ?? nodeWithRoot(block, o), o);
  if (node.kind !== "accept") return node;
  const missing = new Map<Cid, number>();
  await forEachParallel(node.value.blocks.entries(), BLOCKS_AT_ONCE, async ([index, child]) => {
    if (!(await blocks.has(child))) missing.set(child, childBytes(node.value, index));
  });
  const refused = await pullMissing(blocks, missing, o);
  return refused ?? accept(node.value.bytes);
}

function nodeWithRoot(block: Uint8Array, { bytesMax, root }: PullOptions): Verdict<BodyNode> {
  const node = decodeBodyNode(block, bytesMax);
  return node.kind === "accept" ? (rootMisfit(node.value.blocks, root) ?? node) : node;
}

function rootMisfit(blocks: readonly Cid[], root: Digest | undefined): Refused | undefined {
  if (root === undefined) return undefined;
  const leaves = blocks.map((cid) => parseCid(cid)?.multihash.digest ?? new Uint8Array(0));
  const actual = digestFromBytes(merkleRoot(leaves));
  return actual === root
    ? undefined
    : reject("BODY_ROOT", `expected blocks with root ${root}, got ${actual}`);
}

/** Fetches one block unless it is here; keeps it only when `check` accepts it. */
async function pullOne<T>(
  blocks: BlockStore,
  cid: Cid,
  check: (block: Uint8Array) => Verdict<T>,
  { fetch }: PullOptions,
): Promise<Verdict<T>> {
  const held = await blocks.get(cid);
  if (held !== undefined) return check(held);
  let verdict: Verdict<T> = ignore("BODY_MISSING", `expected block ${cid}, got none`);
  await fetch([cid], async (_, block) => {
    verdict = check(block);
    if (verdict.kind === "accept") await blocks.put(cid, block, { durable: false });
  });
  return verdict;
}

/** Thrown through `fetch` to end it: whoever named the body is to blame, and no holder can help. */
class RefusedBlock extends Error {
  readonly refused: Refused;

  constructor(refused: Refused) {
    super(refused.detail);
    this.refused = refused;
  }
}

/** `sizes`: of the blocks that are not here, in bytes. */
async function pullMissing(
  blocks: BlockStore,
  sizes: ReadonlyMap<Cid, number>,
  { fetch }: PullOptions,
): Promise<Refused | undefined> {
  if (sizes.size === 0) return undefined;
  try {
    await fetch([...sizes.keys()], async (cid, block) => {
      const refused = exactly(block, sizes.get(cid) ?? 0);
      if (refused !== undefined) throw new RefusedBlock(refused);
      await blocks.put(cid, block, { durable: false });
    });
    return undefined;
  } catch (error) {
    // Our own signal; anything else is the network's or the disk's.
    if (error instanceof RefusedBlock) return error.refused;
    throw error;
  }
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
  await forEachParallel(node.value.blocks.entries(), BLOCKS_AT_ONCE, async ([index, child]) => {
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

/**
 * The checkpoints in a data folder as blocks that others may ask for: the weights, cut into 1 MiB blocks as any body is,
 * and the small record that says what they are a state of. Blocks are read out of `weights.bin` where it lies, so that
 * weights are on the disk once; of each only its place is held in memory (some 150 bytes per MiB).
 */
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  BLOCK_BYTES,
  type Cid,
  DAG_CBOR,
  type Digest,
  type Logger,
  RAW,
  cidOf,
  cidOfDigest,
  matchesCid,
  messageOf,
} from "../core/index.ts";
import { BODY_BYTES_MAX, childBytes, decodeBodyNode } from "./body-node.ts";
import { cutBody } from "./body.ts";
import { type CheckpointMeta, BASE_FILE, META_FILE, NODE_FILE, WEIGHTS_FILE } from "./checkpoints.ts";
import { diskError, errorCode, readWholeFile } from "./files.ts";

/** A settled state that is served whole. */
export interface ServedState {
  readonly phase: number;
  readonly round: number;
  readonly root: Digest;
  /** The body of its record. */
  readonly base: Cid;
}

export interface ServedCheckpoints {
  /** Looks at the folder again: after each save. */
  refresh(): Promise<void>;
  /** Of the first folder the newest first, then of the next. */
  states(): readonly ServedState[];
  has(cid: Cid): boolean;
  /** Undefined when it is not, or not any more, of a checkpoint here, or differs from its hash. */
  get(cid: Cid): Promise<Uint8Array | undefined>;
  /** Writes the bytes that the CID names over those on the disk; nothing happens when no checkpoint has them any more. */
  mend(cid: Cid, block: Uint8Array): Promise<void>;
}

/** Bytes in memory, or where they lie. */
type Place = Uint8Array | { readonly path: string; readonly at: number; readonly bytes: number };

const FOLDER = /^\d+-\d+-(\d+)$/;

/** Of the checkpoints in these folders, which another thread may save to meanwhile. `damaged`: told of each block that differs. */
export function openServedCheckpoints(
  dirs: readonly string[],
  { log, damaged }: { log: Logger; damaged?: (cid: Cid) => void },
): ServedCheckpoints {
  let places: ReadonlyMap<Cid, Place> = new Map();
  let states: readonly ServedState[] = [];
  return {
    async refresh() {
      const found = new Map<Cid, Place>();
      const newest: ServedState[] = [];
      for (const folder of (await Promise.all(dirs.map(foldersIn))).flat()) {
        const state = await readState(folder, found);
        if (state !== undefined) newest.push(state);
      }
      [places, states] = [found, newest];
    },
    states: () => states,
    has: (cid) => places.has(cid),
    async get(cid) {
      const place = places.get(cid);
      if (place === undefined || place instanceof Uint8Array) return place;
      const block = await readPlace(place);
      if (block === undefined || matchesCid(cid, block)) return block;
      log.warn("a block of a checkpoint differs from its hash; not served", { cid, path: place.path });
      damaged?.(cid);
      return undefined;
    },
    async mend(cid, block) {
      const place = places.get(cid);
      if (place === undefined || place instanceof Uint8Array || !matchesCid(cid, block)) return;
      await writePlace(place, block);
      log.info("a damaged block of a checkpoint is whole again", { cid, path: place.path });
    },
  };
}

/** The one saved last first. */
async function foldersIn(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch((error: unknown) => {
    // No folder yet is an answer.
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  });
  const serialOf = (name: string): number => Number(FOLDER.exec(name)?.[1] ?? -1);
  return names
    .filter((name) => FOLDER.test(name))
    .sort((a, b) => serialOf(b) - serialOf(a))
    .map((name) => join(dir, name));
}

/** Adds the blocks of a checkpoint; undefined, and nothing added, when it has no record or is going away. */
async function readState(folder: string, places: Map<Cid, Place>): Promise<ServedState | undefined> {
  const [meta, base, node] = await Promise.all(
    [META_FILE, BASE_FILE, NODE_FILE].map(async (name) => (await readWholeFile(join(folder, name)))?.bytes),
  );
  if (meta === undefined || base === undefined) return undefined;
  const { phase, round, root, weightsRoot } = JSON.parse(Buffer.from(meta).toString()) as CheckpointMeta;
  const weights = weightsPlaces(join(folder, WEIGHTS_FILE), weightsRoot, node);
  if (weights === undefined) return undefined;
  for (const [cid, place] of weights) places.set(cid, place);
  const record = cutBody(base);
  for (const { cid, bytes } of [...record.children, record.root]) places.set(cid, bytes);
  return { phase, round, root, base: record.root.cid };
}

/** `node`: absent when the weights are one block, whose hash is then their root. */
function weightsPlaces(
  path: string,
  weightsRoot: Digest,
  node: Uint8Array | undefined,
): [Cid, Place][] | undefined {
  if (node === undefined) return [[cidOfDigest(weightsRoot, RAW), { path, at: 0, bytes: BLOCK_BYTES }]];
  const decoded = decodeBodyNode(node, BODY_BYTES_MAX);
  if (decoded.kind !== "accept") return undefined;
  const blocks = decoded.value.blocks.map((cid, i): [Cid, Place] => [
    cid,
    { path, at: i * BLOCK_BYTES, bytes: childBytes(decoded.value, i) },
  ]);
  return [...blocks, [cidOf(node, DAG_CBOR), node]];
}

/** Undefined when the file was removed meanwhile: newer checkpoints take its place. */
async function readPlace(place: Exclude<Place, Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    const file = await open(place.path);
    try {
      const { buffer, bytesRead } = await file.read(new Uint8Array(place.bytes), 0, place.bytes, place.at);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw new Error(`${place.path}: ${messageOf(error)}`, { cause: error });
  }
}

async function writePlace({ path, at }: Exclude<Place, Uint8Array>, block: Uint8Array): Promise<void> {
  try {
    const file = await open(path, "r+");
    try {
      await file.write(block, 0, block.length, at);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    // Newer checkpoints have taken its place.
    if (errorCode(error) === "ENOENT") return;
    throw diskError("write", path, error);
  }
}

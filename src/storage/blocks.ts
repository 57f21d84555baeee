/**
 * Content-addressed blocks, one file each, in 1024 folders named by the last two letters of the CID. Durable when `put`
 * resolves unless told otherwise, checked against their hash when they are read.
 */
import { access, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  BLOCK_BYTES,
  type Cid,
  type Digest,
  type Logger,
  assert,
  digestFromBytes,
  parseCid,
} from "../core/index.ts";
import { diskError, errorCode, readWholeFile, writeFileAtomic } from "./files.ts";

export interface BlockStore {
  /** The block, or undefined; one that differs from its hash is deleted, with a warning, and undefined. */
  get(cid: Cid): Promise<Uint8Array | undefined>;
  /** Whether there is a file for it; only `get` tells whether it is whole. */
  has(cid: Cid): Promise<boolean>;
  /**
   * At most 1 MiB, and the bytes that the CID names (not checked again here). `durable` (default: true): on disk before
   * it resolves; what comes from peers and would come again need not be.
   */
  put(cid: Cid, bytes: Uint8Array, o?: { durable?: boolean }): Promise<void>;
  /** Nothing happens when it is not there. */
  delete(cid: Cid): Promise<void>;
}

/** Of which block there is a file is remembered for so many: peers in a pull ask for it again and again. */
const KNOWN_MAX = 32_768;

/** Every method throws `DISK_READ_FAILED`, `DISK_WRITE_FAILED` or `DISK_FULL` when the disk does not work. */
export function createBlockStore(o: { dir: string; temporaryDir: string; log: Logger }): BlockStore {
  const known = new Map<Cid, boolean>();
  const note = (cid: Cid, isHere: boolean): void => {
    known.delete(cid);
    known.set(cid, isHere);
    for (const oldest of known.keys()) {
      if (known.size <= KNOWN_MAX) break;
      known.delete(oldest);
    }
  };
  const pathOf = (cid: Cid): string => blockPath(o.dir, cid);
  const remove = async (cid: Cid): Promise<void> => {
    const path = pathOf(cid);
    try {
      await rm(path, { force: true });
      note(cid, false);
    } catch (error) {
      // To say which file it was.
      throw diskError("write", path, error);
    }
  };
  return {
    async get(cid) {
      const before = known.get(cid);
      const content = await readWholeFile(pathOf(cid));
      if (content === undefined) {
        // Unless it was put while we looked.
        if (known.get(cid) === before) note(cid, false);
        return undefined;
      }
      // Of one block the Merkle root is its hash, and reading has made it.
      if (content.bytes.length <= BLOCK_BYTES && content.root === hashIn(cid)) return content.bytes;
      o.log.warn("a block on disk differs from its hash; deleted", { cid, bytes: content.bytes.length });
      await remove(cid);
      return undefined;
    },
    async has(cid) {
      const isKnown = known.get(cid);
      if (isKnown !== undefined) return isKnown;
      const isHere = await isThere(pathOf(cid));
      // Unless it was put or deleted while we looked.
      if (!known.has(cid)) note(cid, isHere);
      return known.get(cid) ?? isHere;
    },
    async put(cid, bytes, { durable = true } = {}) {
      assert(
        bytes.length <= BLOCK_BYTES,
        `expected a block of at most ${BLOCK_BYTES} bytes, got ${bytes.length}`,
      );
      await writeFileAtomic(pathOf(cid), bytes, { temporaryDir: o.temporaryDir, durable });
      note(cid, true);
    },
    delete: remove,
  };
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    // A missing file is an answer; anything else needs a person.
    if (errorCode(error) === "ENOENT") return false;
    throw diskError("read", path, error);
  }
}

function hashIn(cid: Cid): Digest | undefined {
  const parsed = parseCid(cid);
  return parsed && digestFromBytes(parsed.multihash.digest);
}

/** Where a block is kept below the folder of all blocks. */
export function blockPath(dir: string, cid: Cid): string {
  // Also keeps a name that is no CID from becoming a path.
  assert(parseCid(cid) !== undefined, `expected a CID, got ${JSON.stringify(cid)}`);
  return join(dir, cid.slice(-2), cid);
}

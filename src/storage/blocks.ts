/**
 * Content-addressed blocks, one file each, in 1024 folders named by the last two letters of the CID. Durable when `put`
 * resolves, checked against their hash when they are read.
 */
import { access, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BLOCK_BYTES, type Cid, type Logger, assert, matchesCid, parseCid } from "../core/index.ts";
import { diskError, errorCode, makeFolder, readWholeFile, writeFileAtomic } from "./files.ts";

export interface BlockStore {
  /** The block, or undefined; one that differs from its hash is deleted, with a warning, and undefined. */
  get(cid: Cid): Promise<Uint8Array | undefined>;
  /** Whether there is a file for it; only `get` tells whether it is whole. */
  has(cid: Cid): Promise<boolean>;
  /** At most 1 MiB, and the bytes that the CID names (not checked again here). */
  put(cid: Cid, bytes: Uint8Array): Promise<void>;
  /** Nothing happens when it is not there. */
  delete(cid: Cid): Promise<void>;
}

/** Every method throws `DISK_READ_FAILED`, `DISK_WRITE_FAILED` or `DISK_FULL` when the disk does not work. */
export function createBlockStore(o: { dir: string; temporaryDir: string; log: Logger }): BlockStore {
  const pathOf = (cid: Cid): string => blockPath(o.dir, cid);
  const remove = async (cid: Cid): Promise<void> => {
    const path = pathOf(cid);
    try {
      await rm(path, { force: true });
    } catch (error) {
      // To say which file it was.
      throw diskError("write", path, error);
    }
  };
  return {
    async get(cid) {
      const content = await readWholeFile(pathOf(cid));
      if (content === undefined) return undefined;
      if (matchesCid(cid, content.bytes)) return content.bytes;
      o.log.warn("a block on disk differs from its hash; deleted", { cid, bytes: content.bytes.length });
      await remove(cid);
      return undefined;
    },
    async has(cid) {
      const path = pathOf(cid);
      try {
        await access(path);
        return true;
      } catch (error) {
        // A missing file is an answer; anything else needs a person.
        if (errorCode(error) === "ENOENT") return false;
        throw diskError("read", path, error);
      }
    },
    async put(cid, bytes) {
      assert(
        bytes.length <= BLOCK_BYTES,
        `expected a block of at most ${BLOCK_BYTES} bytes, got ${bytes.length}`,
      );
      const path = pathOf(cid);
      try {
        await makeFolder(dirname(path));
      } catch (error) {
        // To say which folder it was.
        throw diskError("write", dirname(path), error);
      }
      await writeFileAtomic(path, bytes, { temporaryDir: o.temporaryDir });
    },
    delete: remove,
  };
}

/** Where a block is kept below the folder of all blocks. */
export function blockPath(dir: string, cid: Cid): string {
  // Also keeps a name that is no CID from becoming a path.
  assert(parseCid(cid) !== undefined, `expected a CID, got ${JSON.stringify(cid)}`);
  return join(dir, cid.slice(-2), cid);
}

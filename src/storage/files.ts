/**
 * The only way that this room writes: beside the target, fsync, rename, fsync of the folder. A process killed at
 * any moment leaves the old file or the new one, and perhaps a temporary file that nobody reads.
 *
 * Files are read one block at a time and hashed on the way, so that a file of many gigabytes neither meets the 2 GiB limit
 * of `fs.readFile` nor holds up the event loop for longer than one block's hash (1 ms). They are written in pieces as large
 * as can be, which takes a third of the time of small ones.
 */
import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  type Digest,
  StarlingError,
  blocksOf,
  digestFromBytes,
  merkleRoot,
  messageOf,
  sha256,
} from "../core/index.ts";

/** No system writes more than 2 GiB at once. */
const WRITE_BYTES_MAX = 2 ** 30;

export interface FileContent {
  /** In a buffer of its own at offset 0, so that it can be viewed as any typed array. */
  readonly bytes: Uint8Array;
  /** Merkle root over the 1 MiB blocks of `bytes`. */
  readonly root: Digest;
}

/**
 * Replaces `path` atomically and durably. `temporaryDir` (default: the folder of `path`) must be on the same disk. With
 * `durable: false` the death of the machine may leave anything under the name: for what is checked when it is read and
 * comes back from peers. Throws `DISK_FULL` or `DISK_WRITE_FAILED`.
 */
export async function writeFileAtomic(
  path: string,
  bytes: Uint8Array,
  options: { temporaryDir?: string; mode?: number; durable?: boolean } = {},
): Promise<void> {
  const temporary = temporaryPath(options.temporaryDir ?? dirname(path), basename(path));
  const durable = options.durable ?? true;
  try {
    await writeNewFile(temporary, bytes, { mode: options.mode, durable });
    await renameInto(temporary, path);
    if (durable) await syncFolder(dirname(path));
  } catch (error) {
    // To leave nothing behind and to say which file it was.
    await rm(temporary, { force: true });
    throw diskError("write", path, error);
  }
}

/** Renames, making the target's folder when there is none. */
async function renameInto(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    // Only a missing folder can be helped.
    if (errorCode(error) !== "ENOENT") throw error;
    await makeFolder(dirname(to));
    await rename(from, to);
  }
}

/** A name in `dir` that nothing else uses. */
export function temporaryPath(dir: string, name: string): string {
  return join(dir, `.${name}.${randomUUID()}.tmp`);
}

/**
 * Writes a file that is not there yet. `durable` (default: true): its content, not yet its name, outlives the death of the
 * machine; else only that of the process, until `syncFile`. `meanwhile` is called while the system copies the bytes.
 */
export async function writeNewFile(
  path: string,
  bytes: Uint8Array,
  {
    mode,
    durable = true,
    meanwhile,
  }: { mode?: number | undefined; durable?: boolean; meanwhile?: () => void } = {},
): Promise<void> {
  const handle = await open(path, "wx", mode);
  try {
    const writing = writeAll(handle, bytes);
    // Its failure waits for what is done meanwhile.
    writing.catch(messageOf);
    meanwhile?.();
    await writing;
    if (durable) await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const piece = Math.min(WRITE_BYTES_MAX, bytes.length - at);
    const { bytesWritten } = await handle.write(bytes, at, piece);
    at += bytesWritten;
  }
}

/** Makes the content of a file durable that was written without. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The whole file, or undefined when there is none. Throws `DISK_READ_FAILED`. */
export async function readWholeFile(path: string): Promise<FileContent | undefined> {
  try {
    const handle = await open(path, "r");
    try {
      return await readBlocks(handle);
    } finally {
      await handle.close();
    }
  } catch (error) {
    // A missing file is an answer; anything else needs a person.
    if (errorCode(error) === "ENOENT") return undefined;
    throw diskError("read", path, error);
  }
}

async function readBlocks(handle: FileHandle): Promise<FileContent> {
  const bytes = new Uint8Array((await handle.stat()).size);
  const leaves: Uint8Array[] = [];
  for (const block of blocksOf(bytes)) {
    for (let at = 0; at < block.length;) {
      const { bytesRead } = await handle.read(block, at, block.length - at);
      if (bytesRead === 0) throw new Error(`expected ${bytes.length} bytes, the file became shorter`);
      at += bytesRead;
    }
    leaves.push(sha256(block));
  }
  return { bytes, root: digestFromBytes(merkleRoot(leaves)) };
}

/**
 * Makes `dir` and the folders above it, durably (unless told otherwise). Not `mkdir({ recursive: true })`: that loops for ever where the
 * parent is there and refuses with ENOENT, such as below /proc (measured on Node 24.21).
 */
export async function makeFolder(dir: string, { durable = true }: { durable?: boolean } = {}): Promise<void> {
  try {
    await mkdir(dir);
  } catch (error) {
    // There already, or its parent is missing too; anything else is the caller's to explain.
    if (errorCode(error) === "EEXIST" && (await stat(dir)).isDirectory()) return;
    if (errorCode(error) !== "ENOENT" || dirname(dir) === dir) throw error;
    await makeFolder(dirname(dir));
    await mkdir(dir);
  }
  if (durable) await syncFolder(dirname(dir));
}

/** A folder that is there and has nothing in it. Throws `DISK_WRITE_FAILED`. */
export async function emptyFolder(dir: string): Promise<void> {
  try {
    await rm(dir, { recursive: true, force: true });
    await makeFolder(dir);
  } catch (error) {
    // To say which folder it was.
    throw diskError("write", dir, error);
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(dir: string): Promise<void> {
  // Windows can't open a folder; NTFS journals names by itself.
  if (process.platform === "win32") return;
  const handle = await open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The operating error for a failed system call, with what to do. */
export function diskError(action: "read" | "write", path: string, error: unknown): StarlingError {
  if (error instanceof StarlingError) return error;
  const why = messageOf(error);
  // LevelDB has only the system's words.
  const isFull = ["ENOSPC", "EDQUOT"].includes(errorCode(error) ?? "");
  if (isFull || /No space left on device|Disk quota exceeded/.test(why))
    return new StarlingError("DISK_FULL", `no room left to write ${path} (${why}); free some space`, {
      cause: error,
    });
  const advice = `check that the folder exists, that this user may ${action} it, and that the disk is healthy`;
  const message = `could not ${action} ${path}: ${why}; ${advice}`;
  return new StarlingError(action === "read" ? "DISK_READ_FAILED" : "DISK_WRITE_FAILED", message, {
    cause: error,
  });
}

/** The system's code of an error, such as ENOENT. */
export function errorCode(error: unknown): string | undefined {
  return (error as { code?: string } | null | undefined)?.code;
}

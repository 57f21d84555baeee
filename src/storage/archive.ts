/**
 * A data folder for reading only, as its bytes are: nothing is checked, repaired, deleted or made (but for LevelDB's own
 * bookkeeping), so that whoever checks it can name what is wrong. It holds the folder's lock like a node.
 */
import { join, resolve } from "node:path";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { ClassicLevel } from "classic-level";
import { type Cid, type PeerId, type RunId, StarlingError, bytesOf } from "../core/index.ts";
import { blockPath } from "./blocks.ts";
import { tablesOf } from "./contributions.ts";
import { diskError, errorCode, readWholeFile } from "./files.ts";
import { readKey } from "./key.ts";
import { checkFormat, readLine, readRun } from "./labels.ts";
import { openLevel } from "./level.ts";
import { type LevelDamage, findLevelDamage } from "./level-damage.ts";
import { type RawFolder, SealedFolders } from "./sealed-folders.ts";
import { inUse } from "./store.ts";

export interface ArchivedHeader {
  /** Should be `headerKey` of what the bytes say. */
  readonly key: string;
  readonly bytes: Uint8Array;
}

export interface ArchivedPlace {
  /** Should be the id of the header that is stored under `key`. */
  readonly id: string;
  readonly key: string;
}

/** Every method throws `DISK_READ_FAILED` when the disk does not work. */
export interface Archive {
  /** Absolute. */
  readonly dir: string;
  readonly run: RunId;
  /** Whose folder it is; undefined when its key is gone. */
  readonly self: PeerId | undefined;
  /** In the order of phase, round and id. */
  headers(): AsyncIterable<ArchivedHeader>;
  /** The index of headers by id, in the order of ids. */
  places(): AsyncIterable<ArchivedPlace>;
  /** The bytes that are stored under this name. */
  block(cid: Cid): Promise<Uint8Array | undefined>;
  /** The one saved last first. */
  checkpoints(): AsyncIterable<RawFolder>;
  close(): Promise<void>;
}

/**
 * Throws `DATA_DIR_EMPTY` (no node has run on it), `DATA_DIR_IN_USE`, `DATA_DIR_NEWER`, `DATA_DIR_DAMAGED` (names the
 * file), `KEY_INVALID`, `DISK_READ_FAILED`.
 */
export async function openArchive(dir: string): Promise<Archive> {
  const root = resolve(dir);
  const hasFormat = await checkFormat(root);
  const run = await readRun(root);
  if (!hasFormat || run === undefined) throw empty(dir);
  const key = await readKey(join(root, "key"));
  const location = join(root, "contributions");
  const damage = await findLevelDamage(location);
  if (damage !== undefined) throw (await seemsHeld(root)) ? await inUse(root) : damaged(damage);
  // Not before: it opens itself as soon as it is made, and opening drops what is damaged.
  const db = new ClassicLevel(location, { createIfMissing: false });
  if (!(await openLevel(db, location))) throw await inUse(root);
  const tables = tablesOf(db);
  const reading = async function* <T>(entries: AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* entries;
    } catch (error) {
      // To say which folder it was.
      throw diskError("read", location, error);
    }
  };
  return {
    dir: root,
    run,
    self: key && (peerIdFromPrivateKey(key).toString() as PeerId),
    async *headers() {
      for await (const [at, value] of reading(tables.headers.iterator()))
        yield { key: at, bytes: bytesOf(value) };
    },
    async *places() {
      for await (const [id, at] of reading(tables.places.iterator())) yield { id, key: at };
    },
    block: async (cid) => (await readWholeFile(blockPath(join(root, "blocks"), cid)))?.bytes,
    checkpoints: () => new SealedFolders({ dir: join(root, "checkpoints") }).raw(),
    close: () => db.close(),
  };
}

/** What a running node is just writing looks damaged. Only a look: nothing but opening the database can tell. */
async function seemsHeld(dir: string): Promise<boolean> {
  const pid = Number(await readLine(join(dir, "lock")));
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // No such process; or one of another user, who may hold it.
    return errorCode(error) === "EPERM";
  }
}

function empty(dir: string): StarlingError {
  const message = `expected the data folder of a node at ${dir}, got one without a run: \`starling start\` makes it`;
  return new StarlingError("DATA_DIR_EMPTY", message);
}

function damaged({ path, offset }: LevelDamage): StarlingError {
  return new StarlingError(
    "DATA_DIR_DAMAGED",
    `expected ${path} to fit its checksums, got damage in what begins at byte ${offset}; copy the folder before a node ` +
      `opens it, which may drop what is damaged: it comes back from peers`,
  );
}

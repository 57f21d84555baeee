/**
 * A node's data folder:
 *
 *   format  run  key  lock     one line each (the key: libp2p protobuf, mode 0600; the lock: who holds the folder)
 *   blocks/                    content-addressed blocks of 1 MiB or less
 *   contributions/             signed headers (LevelDB; its file lock is the folder's lock)
 *   peers/                     libp2p's own datastore (LevelDB)
 *   states/  checkpoints/      sealed folders
 *   status.json  payout.json   the node's last words and where its credits go (src/node/)
 *   tmp/                       what is being written; emptied when the folder is opened
 */
import { constants } from "node:fs";
import { access, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { PrivateKey } from "@libp2p/interface";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { ClassicLevel } from "classic-level";
import { LevelDatastore } from "datastore-level";
import { type Logger, type PeerId, type RunId, StarlingError, assert, messageOf } from "../core/index.ts";
import { type BlockStore, createBlockStore } from "./blocks.ts";
import { type CheckpointStore, openCheckpoints } from "./checkpoints.ts";
import { type ContributionStore, createContributionStore } from "./contributions.ts";
import { emptyFolder, makeFolder } from "./files.ts";
import { loadOrCreateKey } from "./key.ts";
import { openLevel } from "./level.ts";
import { TEMPORARY } from "./sealed-folders.ts";
import { checkFormat, readLine, readRun, writeFormat, writeLine } from "./labels.ts";
import { type StateStore, openStates } from "./states.ts";

export interface Store {
  /** Absolute. */
  readonly dir: string;
  readonly key: PrivateKey;
  readonly peerId: PeerId;
  /** For libp2p. */
  readonly datastore: LevelDatastore;
  readonly blocks: BlockStore;
  readonly contributions: ContributionStore;
  readonly states: StateStore;
  readonly checkpoints: CheckpointStore;
  /** The run that this folder belongs to, once there is one. */
  run(): RunId | undefined;
  /** Gives the folder to a run, for ever. Throws `DATA_DIR_OTHER_RUN` when it belongs to another. */
  bindRun(run: RunId): Promise<void>;
  /** Lets the folder go. Call it when all that was asked of the store has answered; twice is fine. */
  close(): Promise<void>;
}

export interface StoreOptions {
  /** The same as `bindRun` right after opening. */
  readonly run?: RunId;
  readonly log: Logger;
}

const FOLDERS = ["blocks", "contributions", "peers", "states", "checkpoints"];

/**
 * Opens a data folder, or makes one. One process per folder.
 * Throws `DATA_DIR_UNWRITABLE`, `DATA_DIR_IN_USE`, `DATA_DIR_NEWER`, `DATA_DIR_OTHER_RUN`, `DATA_DIR_DAMAGED`,
 * `KEY_INVALID`, and the `DISK_` codes.
 */
export async function openStore(dir: string, options: StoreOptions): Promise<Store> {
  const root = resolve(dir);
  await makeFolders(root);
  const hasFormat = await checkFormat(root);
  const db = new ClassicLevel(join(root, "contributions"));
  if (!(await openLevel(db, db.location))) throw await inUse(root);
  try {
    return await openLocked(root, { ...options, db, hasFormat });
  } catch (error) {
    // Without this the folder would stay locked for the rest of the process.
    await db.close();
    throw error;
  }
}

async function openLocked(
  dir: string,
  o: StoreOptions & { db: ClassicLevel; hasFormat: boolean },
): Promise<Store> {
  const log = o.log.child("storage");
  const temporaryDir = join(dir, "tmp");
  for (const each of [temporaryDir, join(dir, "states", TEMPORARY), join(dir, "checkpoints", TEMPORARY)])
    await emptyFolder(each);
  await writeLine(join(dir, "lock"), String(process.pid), temporaryDir);
  if (!o.hasFormat) await writeFormat(dir, temporaryDir);

  const key = await loadOrCreateKey(join(dir, "key"), { temporaryDir, log });
  const binding = createBinding(dir, await readRun(dir), temporaryDir);
  if (o.run !== undefined) await binding.bindRun(o.run);

  const datastore = new LevelDatastore(join(dir, "peers"));
  const free = await openLevel(datastore.db, join(dir, "peers"));
  assert(free, "who holds contributions/ holds peers/ too");

  // The lock goes last; its file is only there to be read by people.
  const release = async (): Promise<void> => {
    await datastore.close();
    await rm(join(dir, "lock"), { force: true });
    await o.db.close();
  };
  let released: Promise<void> | undefined;

  return {
    dir,
    key,
    peerId: peerIdFromPrivateKey(key).toString() as PeerId,
    datastore,
    blocks: createBlockStore({ dir: join(dir, "blocks"), temporaryDir, log }),
    contributions: createContributionStore({ db: o.db, dir: o.db.location, log }),
    states: openStates(join(dir, "states"), { log }),
    checkpoints: openCheckpoints(join(dir, "checkpoints"), { log }),
    ...binding,
    // Once only: later the folder may be somebody else's.
    close: () => (released ??= release()),
  };
}

function createBinding(
  dir: string,
  bound: RunId | undefined,
  temporaryDir: string,
): Pick<Store, "run" | "bindRun"> {
  return {
    run: () => bound,
    async bindRun(run) {
      if (bound === run) return;
      if (bound !== undefined)
        throw new StarlingError(
          "DATA_DIR_OTHER_RUN",
          `expected ${dir} to belong to run ${run}, but it belongs to run ${bound}; give this run a folder of its own`,
        );
      // Taken before it is written, so that of two calls at once only one can win.
      bound = run;
      try {
        await writeLine(join(dir, "run"), run, temporaryDir);
      } catch (error) {
        // Not written, so not bound.
        bound = undefined;
        throw error;
      }
    },
  };
}

async function makeFolders(dir: string): Promise<void> {
  try {
    for (const each of [dir, ...FOLDERS.map((name) => join(dir, name))]) {
      await makeFolder(each);
      await access(each, constants.R_OK | constants.W_OK | constants.X_OK);
    }
  } catch (error) {
    // To say what can be done about it.
    throw new StarlingError(
      "DATA_DIR_UNWRITABLE",
      `expected a data folder that this user can write, got ${dir}: ${messageOf(error)}; change its owner or its ` +
        `rights, or use another folder`,
      { cause: error },
    );
  }
}

/** Who holds the folder, as far as the lock's text says. */
export async function inUse(dir: string): Promise<StarlingError> {
  const pid = await readLine(join(dir, "lock"));
  const holder = pid === undefined ? "another process" : `process ${pid}`;
  return new StarlingError(
    "DATA_DIR_IN_USE",
    `expected ${dir} to be free, but ${holder} uses it; stop that one, or give this node a folder of its own`,
  );
}

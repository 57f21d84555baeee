/**
 * Writes to a LevelDB that survive a full disk. A write that fails may leave half a record in the log; LevelDB goes on
 * behind it, and drops what it wrote there when it is opened the next time (measured: ten headers put, seven read).
 * So after a failure nothing is written before the database has been opened anew, which starts a log of its own; and
 * it is not closed before there is room to open it.
 */
import { rm } from "node:fs/promises";
import { StarlingError, messageOf } from "../core/index.ts";
import { writeFileAtomic } from "./files.ts";
import { openLevel } from "./level.ts";

/** What opening may write: the log's content as a table (LevelDB's write buffer is 4 MiB), and some. */
const ROOM_BYTES = 6 * 2 ** 20;

interface Database {
  open(): Promise<void>;
  close(): Promise<void>;
}

export class MendedLevel {
  readonly #db: Database;
  readonly #dir: string;
  readonly #reopened: () => void;
  #isTorn = false;
  #readable: Promise<void> = Promise.resolve();
  /** Writes go one after the other, so that none lands behind one that failed. */
  #last: Promise<unknown> = Promise.resolve();

  /** `dir`: of the database. `reopened`: handles that were made before are of no use any more. */
  constructor(o: { db: Database; dir: string; reopened: () => void }) {
    this.#db = o.db;
    this.#dir = o.dir;
    this.#reopened = o.reopened;
  }

  /** Resolves at once, but while the database is being opened anew. */
  readable(): Promise<void> {
    return this.#readable;
  }

  /** Throws what `work` throws, and `DISK_FULL` while there is no room to go on after a failure. */
  write(work: () => Promise<void>): Promise<void> {
    const result = this.#last.then(async () => {
      if (this.#isTorn) await this.#mend();
      try {
        await work();
      } catch (error) {
        this.#isTorn = true;
        throw error;
      }
    });
    // The error is the caller's, who has `result`; the next in line only waits.
    this.#last = result.catch(messageOf);
    return result;
  }

  async #mend(): Promise<void> {
    const probe = `${this.#dir}.room`;
    try {
      await writeFileAtomic(probe, new Uint8Array(ROOM_BYTES));
    } finally {
      await rm(probe, { force: true });
    }
    const opening = this.#reopen();
    this.#readable = opening.catch(messageOf).then(() => undefined);
    await opening;
    this.#isTorn = false;
  }

  async #reopen(): Promise<void> {
    await this.#db.close();
    if (!(await openLevel(this.#db, this.#dir)))
      throw new StarlingError(
        "DATA_DIR_IN_USE",
        `expected to open ${this.#dir} again after a failed write, but another process has taken it; stop that one`,
      );
    this.#reopened();
  }
}

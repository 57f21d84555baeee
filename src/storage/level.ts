/**
 * Opens a LevelDB. LevelDB locks its folder with the system's file lock, which ends with the process, however that
 * dies; this is also what keeps a data folder to one process.
 */
import { StarlingError, messageOf } from "../core/index.ts";
import { errorCode } from "./files.ts";

/** False when another process, or this one, holds it already. Throws `DATA_DIR_DAMAGED`. */
export async function openLevel(db: { open(): Promise<void> }, dir: string): Promise<boolean> {
  try {
    await db.open();
    return true;
  } catch (error) {
    // A lock is an answer; anything else needs a person. The reason is in the cause.
    const { cause } = error as Error;
    if (errorCode(cause) === "LEVEL_LOCKED") return false;
    throw new StarlingError(
      "DATA_DIR_DAMAGED",
      `could not open the database ${dir}: ${messageOf(cause ?? error)}; when this user may write there and the disk ` +
        `is healthy and not full, move that folder away: its content comes back from peers`,
      { cause: error },
    );
  }
}

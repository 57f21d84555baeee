/** A command that only reads must not turn any folder into a node's: opening one makes a key. */
import { mkdir, stat } from "node:fs/promises";
import { StarlingError, messageOf } from "../core/index.ts";
import { UsageError } from "./failure.ts";

/** Throws `DATA_DIR_MISSING` unless the folder is there. */
export async function assertDataExists(dataDir: string): Promise<void> {
  try {
    await stat(dataDir);
  } catch (error) {
    // Translated: says which option to look at.
    throw new StarlingError(
      "DATA_DIR_MISSING",
      `expected the data folder of a node at ${dataDir}, found none; name it with --data, or make it with "starling start"`,
      { cause: error },
    );
  }
}

/** Makes the folder where it is not there. @throws UsageError where it can't be */
export async function makeDataFolder(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true });
  } catch (error) {
    // Translated: says which option to look at.
    throw new UsageError(
      `option '--data': expected a folder, or a place for one, at ${dataDir}: ${messageOf(error)}`,
    );
  }
}

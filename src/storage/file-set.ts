/** Plain files in a folder of the user's choice: what `export` writes and what it is read back from. */
import { join } from "node:path";
import { StarlingError, assert } from "../core/index.ts";
import { diskError, makeFolder, readWholeFile, writeFileAtomic } from "./files.ts";

/** What a file of ours may be called; nothing that leaves the folder, hides, or that some disk can't hold. */
export const FILE_NAME: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/**
 * Writes each file atomically, in the order of the map, making `dir` when it is missing. The names must match
 * `FILE_NAME`. Throws `DISK_FULL` or `DISK_WRITE_FAILED`; the files written before that stay.
 */
export async function writeFiles(dir: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const name of files.keys()) assertFileName(name);
  try {
    await makeFolder(dir);
  } catch (error) {
    // To say which folder it was.
    throw diskError("write", dir, error);
  }
  for (const [name, bytes] of files) await writeFileAtomic(join(dir, name), bytes);
}

/**
 * Reads all the named files, each into a buffer of its own at offset 0. Throws `FILE_NOT_FOUND` when one is missing,
 * `DISK_READ_FAILED` when one can't be read.
 */
export async function readFiles(dir: string, names: readonly string[]): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of names) {
    const content = await readWholeFile(join(dir, name));
    if (content === undefined)
      throw new StarlingError(
        "FILE_NOT_FOUND",
        `expected ${names.join(", ")} in ${dir}, but there is no ${name}`,
      );
    files.set(name, content.bytes);
  }
  return files;
}

export function assertFileName(name: string): void {
  assert(FILE_NAME.test(name), `a file name must match ${FILE_NAME}, got ${JSON.stringify(name)}`);
}

/** What a folder takes of the disk: the sum of its files' lengths. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { diskError, errorCode } from "./files.ts";

/** `without`: names right below it that do not count. Throws `DISK_READ_FAILED`. */
export async function folderBytes(dir: string, without: readonly string[] = []): Promise<number> {
  let bytes = 0;
  for (const entry of await entriesOf(dir)) {
    const path = join(dir, entry.name);
    if (without.includes(entry.name)) continue;
    bytes += entry.isDirectory() ? await folderBytes(path) : await fileBytes(path);
  }
  return bytes;
}

async function entriesOf(dir: string): ReturnType<typeof readEntries> {
  try {
    return await readEntries(dir);
  } catch (error) {
    // What goes away while we look takes nothing.
    if (errorCode(error) === "ENOENT") return [];
    throw diskError("read", dir, error);
  }
}

const readEntries = (dir: string) => readdir(dir, { withFileTypes: true });

async function fileBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    // The same.
    if (errorCode(error) === "ENOENT") return 0;
    throw diskError("read", path, error);
  }
}

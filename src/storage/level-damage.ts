/** Damage in a LevelDB's files, looked for before it is opened: opening it would drop what is damaged, or not see it. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { diskError, errorCode, readWholeFile } from "./files.ts";
import { damageInLog } from "./level-log.ts";
import { damageInTable } from "./level-table.ts";

export interface LevelDamage {
  readonly path: string;
  /** Where the record or block begins that is damaged. */
  readonly offset: number;
}

/** The first damage there is; undefined in a folder that is not there. Throws `DISK_READ_FAILED`. */
export async function findLevelDamage(dir: string): Promise<LevelDamage | undefined> {
  for (const name of await namesIn(dir)) {
    const look = lookFor(name);
    const path = join(dir, name);
    const content = look && (await readWholeFile(path));
    const offset = content && look?.(content.bytes);
    if (offset !== undefined) return { path, offset };
  }
  return undefined;
}

function lookFor(name: string): ((bytes: Uint8Array) => number | undefined) | undefined {
  if (name.endsWith(".log") || name.startsWith("MANIFEST-")) return damageInLog;
  return name.endsWith(".ldb") ? damageInTable : undefined;
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).toSorted();
  } catch (error) {
    // No folder is an answer; anything else needs a person.
    if (errorCode(error) === "ENOENT") return [];
    throw diskError("read", dir, error);
  }
}

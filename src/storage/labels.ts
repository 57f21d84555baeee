/** The one-line files that label a data folder: `format`, `run` and `lock`. */
import { join } from "node:path";
import { type RunId, StarlingError, parseCid } from "../core/index.ts";
import { readWholeFile, writeFileAtomic } from "./files.ts";

/** Counts up when the layout of the folder changes so that an older program can't use it. */
const FORMAT = 1;

/** The trimmed text of a file, or undefined when there is none. */
export async function readLine(path: string): Promise<string | undefined> {
  const content = await readWholeFile(path);
  return content === undefined ? undefined : Buffer.from(content.bytes).toString().trim();
}

export async function writeLine(path: string, line: string, temporaryDir: string): Promise<void> {
  await writeFileAtomic(path, Buffer.from(`${line}\n`), { temporaryDir });
}

/** Whether the folder has its format already. Throws `DATA_DIR_NEWER` or `DATA_DIR_DAMAGED`. */
export async function checkFormat(dir: string): Promise<boolean> {
  const line = await readLine(join(dir, "format"));
  if (line === undefined) return false;
  if (!/^[1-9]\d{0,8}$/.test(line)) throw damaged(join(dir, "format"), "a format number", line);
  if (Number(line) <= FORMAT) return true;
  throw new StarlingError(
    "DATA_DIR_NEWER",
    `expected ${dir} in format ${FORMAT}, got ${line}: a newer Starling made it; update this one, or use another folder`,
  );
}

export async function writeFormat(dir: string, temporaryDir: string): Promise<void> {
  await writeLine(join(dir, "format"), String(FORMAT), temporaryDir);
}

/** The run that the folder belongs to. Throws `DATA_DIR_DAMAGED`. */
export async function readRun(dir: string): Promise<RunId | undefined> {
  const line = await readLine(join(dir, "run"));
  if (line !== undefined && parseCid(line) === undefined)
    throw damaged(join(dir, "run"), "the CID of a run", line);
  return line as RunId | undefined;
}

function damaged(path: string, expected: string, got: string): StarlingError {
  const shown = JSON.stringify(got.slice(0, 80));
  return new StarlingError(
    "DATA_DIR_DAMAGED",
    `expected ${expected} in ${path}, got ${shown}; put back a copy of it, or use another folder`,
  );
}

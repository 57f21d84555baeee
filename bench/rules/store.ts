/** Rows on disk, a file each, named by the hash of their settings: what was measured is never measured again. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Row } from "./row.ts";
import { type Settings, hashOf } from "./settings.ts";

/** In the repository, so that everybody can check the tables against them. */
export const ROWS_DIR: string = join(import.meta.dirname, "..", "rows");

export async function readRow(settings: Settings): Promise<Row | undefined> {
  try {
    return JSON.parse(await readFile(pathOf(settings), "utf8")) as Row;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whole or not at all. */
export async function writeRow(row: Row): Promise<void> {
  await mkdir(ROWS_DIR, { recursive: true });
  const path = pathOf(row.settings);
  await writeFile(`${path}.tmp`, `${JSON.stringify(rounded(row))}\n`);
  await rename(`${path}.tmp`, path);
}

function pathOf(settings: Settings): string {
  return join(ROWS_DIR, `${hashOf(settings)}.json`);
}

/** Losses to five digits after the point: the rest is noise, and files stay small. JSON has no NaN: null is a loss that diverged. */
function rounded(row: Row): Row {
  const digits = (nats: number): number => (Number.isFinite(nats) ? Number(nats.toFixed(5)) : nats);
  return {
    ...row,
    validationLossNats: digits(row.validationLossNats),
    curve: row.curve.map((point) => ({ ...point, validationLossNats: digits(point.validationLossNats) })),
  };
}

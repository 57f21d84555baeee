/** Tables into bench/RESULTS.md and README.md, between a pair of comments for each grid; curves into docs/images. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StarlingError } from "../../src/core/index.ts";
import { curvesOf } from "./curves.ts";
import { type Grid, grids } from "./grids.ts";
import type { Row } from "./row.ts";
import { readRow } from "./store.ts";
import { matrixOf } from "./matrix.ts";
import { type Result, briefTableOf, tableOf } from "./table.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const RESULTS = join(ROOT, "bench", "RESULTS.md");
const README = join(ROOT, "README.md");
/** As many as there are colours (curves.ts). */
const LINES_DRAWN_MAX = 20;

/** A grid's results, or undefined while a row of it is missing. */
export async function resultsOf(grid: Grid): Promise<readonly Result[] | undefined> {
  const results = await Promise.all(
    grid.lines.map(async ({ name, rows }) => ({ name, rows: await Promise.all(rows.map(readRow)) })),
  );
  const isWhole = results.every(({ rows }) => rows.every((row) => row !== undefined));
  return isWhole ? (results as { name: string; rows: Row[] }[]) : undefined;
}

/** The table that a grid is for. */
export function textOf(grid: Grid, results: readonly Result[]): string {
  return grid.isMatrix ? matrixOf(grid, results) : tableOf(grid, results);
}

/** The files as they should be, from the stored rows: path -> text. Grids that are not whole keep what is there. */
export async function published(): Promise<Map<string, string>> {
  let text = await readFile(RESULTS, "utf8");
  let readme = await readFile(README, "utf8");
  const files = new Map<string, string>();
  for (const [name, grid] of Object.entries(grids)) {
    const results = await resultsOf(grid);
    if (results === undefined) continue;
    text = replaceBetween(text, `rules:${name}`, textOf(grid, results));
    if (grid.inReadme) readme = replaceBetween(readme, `rules:${name}`, briefTableOf(grid, results));
    if (grid.isMatrix) continue;
    for (const over of ["tokens", "bytesPerNode"] as const) {
      const file = `rules-${name}-${over === "tokens" ? "tokens" : "bytes"}.svg`;
      files.set(join(ROOT, "docs", "images", file), await curvesOf(drawnOf(grid, results), over));
    }
  }
  return files.set(RESULTS, text).set(README, readme);
}

/** More lines than can be told apart: those that the README shows. */
function drawnOf({ inReadme }: Grid, results: readonly Result[]): readonly Result[] {
  if (inReadme === undefined || results.length <= LINES_DRAWN_MAX) return results;
  return results.filter(({ name }) => inReadme.includes(name));
}

export async function publish(): Promise<void> {
  for (const [path, text] of await published()) await writeFile(path, text);
}

function replaceBetween(text: string, name: string, content: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(open), text.indexOf(close)];
  if (from < 0 || to < from)
    throw new StarlingError(
      "RESULTS_UNMARKED",
      `expected ${open} and ${close} in bench/RESULTS.md and README.md, for the table to go between`,
    );
  return `${text.slice(0, from + open.length)}\n\n${content}\n\n${text.slice(to)}`;
}

/** A grid's rows as a Markdown table and as curves. */
import type { Grid } from "./grids.ts";
import type { Point, Row } from "./row.ts";

export interface Result {
  readonly name: string;
  readonly rows: readonly Row[];
}

/** One line per setting, best first; `+-` is half of the range between seeds. */
export function tableOf(grid: Grid, results: readonly Result[]): string {
  return `${grid.note}\n\n${markdown([headOf(grid), ...linesOf(grid, results)])}`;
}

/** What the README shows of it, without what is the same in all lines or says little. */
export function briefTableOf(grid: Grid, results: readonly Result[]): string {
  const columns = [0, 1, 3, 6];
  const lines = linesOf(grid, results).filter(
    ([name]) => name !== undefined && grid.inReadme?.includes(name),
  );
  return `${grid.note}\n\n${markdown([headOf(grid), ...lines].map((cells) => columns.map((i) => cells[i] as string)))}`;
}

function headOf({ reference }: Grid): string[] {
  return [
    "rule",
    "validation loss, nats",
    "seeds",
    `to ${reference}`,
    "tokens",
    "bytes sent per node",
    "fewer bytes",
  ];
}

function linesOf(grid: Grid, results: readonly Result[]): string[][] {
  const reference = results.find(({ name }) => name === grid.reference);
  return results
    .toSorted((a, b) => meanLoss(a) - meanLoss(b))
    .map((result) => {
      const losses = result.rows.map(({ validationLossNats }) => validationLossNats);
      const nats = meanLoss(result);
      const referenceNats = reference && meanLoss(ofSeeds(reference, result));
      const spread = (Math.max(...losses) - Math.min(...losses)) / 2;
      const [{ tokens, bytesPerNode } = { tokens: 0, bytesPerNode: 0 }] = result.rows;
      return [
        result.name,
        nats.toFixed(3),
        result.rows.length === 1 ? "one" : `+-${spread.toFixed(3)}`,
        referenceNats === undefined ? "" : percent(nats / referenceNats - 1),
        count(tokens),
        bytesPerNode === 0 ? "0" : count(bytesPerNode),
        reference === undefined || bytesPerNode === 0
          ? ""
          : `${((reference.rows[0] as Row).bytesPerNode / bytesPerNode).toPrecision(3)}x`,
      ];
    });
}

/** Of the reference, the seeds that the other has too: a line of one seed is compared with that seed. */
function ofSeeds(reference: Result, { rows }: Result): Result {
  const seeds = new Set(rows.map(({ seed }) => seed));
  return { ...reference, rows: reference.rows.filter(({ seed }) => seeds.has(seed)) };
}

export function meanLoss({ rows }: Result): number {
  return rows.reduce((sum, { validationLossNats }) => sum + validationLossNats, 0) / rows.length;
}

/** The mean over seeds at each point of the curve. */
export function meanCurve({ rows }: Result): readonly Point[] {
  const [first] = rows;
  return (first?.curve ?? []).map((point, i) => ({
    ...point,
    validationLossNats:
      rows.reduce((sum, { curve }) => sum + (curve[i]?.validationLossNats ?? 0), 0) / rows.length,
  }));
}

function percent(share: number): string {
  return `${share >= 0 ? "+" : ""}${(100 * share).toFixed(1)} %`;
}

/** 1234567 -> 1.23 M */
function count(n: number): string {
  const units = ["", " k", " M", " G"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, n)) / 3));
  return `${(n / 1000 ** power).toPrecision(3)}${units[power]}`;
}

/** A Markdown table as the formatter would leave it: the first column to the left, figures to the right. */
export function markdown(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, i) =>
    Math.max(3, ...lines.map((cells) => (cells[i] ?? "").length)),
  );
  const pad = (cell: string, i: number): string =>
    i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number);
  const rule = widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  const [head = [], ...body] = lines;
  return [head.map(pad), rule, ...body.map((cells) => cells.map(pad))]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

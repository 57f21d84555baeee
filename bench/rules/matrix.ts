/** Attacks against rules: what each cost, next to the run of the same rule that nobody attacked. */
import { assert } from "../../src/core/index.ts";
import type { Grid } from "./grids.ts";
import type { Row } from "./row.ts";
import { type Result, markdown } from "./table.ts";

/** The results are named `line: column` and have one row each. */
export function matrixOf({ note, reference }: Grid, results: readonly Result[]): string {
  const cells = results.map(({ name, rows: [row] }) => {
    const [line = "", column = ""] = name.split(": ");
    return { line, column, row };
  });
  const lines = [...new Set(cells.map(({ line }) => line))];
  const columns = [...new Set(cells.map(({ column }) => column))];
  const at = (line: string, column: string): Row => {
    const row = cells.find((cell) => cell.line === line && cell.column === column)?.row;
    assert(row !== undefined, `a matrix has every cell, and there is no ${line} in ${column}`);
    return row;
  };
  const body = lines.map((line) => [
    line,
    ...columns.map((column) =>
      cellOf(at(line, column), line === reference ? undefined : at(reference, column)),
    ),
  ]);
  return `${note}\n\n${markdown([["attack", ...columns], ...body])}`;
}

function cellOf(row: Row, clean: Row | undefined): string {
  const nats = row.validationLossNats;
  // Stored as null.
  const isFinite = Number.isFinite(nats);
  if (clean === undefined) return nats.toFixed(3);
  const more = nats - clean.validationLossNats;
  const share = `(${((row.hostileIncludedShare ?? 0) * 100).toFixed(0)} %)`;
  return isFinite ? `${more >= 0 ? "+" : ""}${more.toFixed(3)} ${share}` : `diverged ${share}`;
}

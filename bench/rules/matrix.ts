/** Attacks against rules: what each cost, next to the run of the same rule that nobody attacked. */
import type { Row } from "./row.ts";
import { markdown } from "./table.ts";

/** The line of runs that nobody attacked. */
const CLEAN = "nobody";

export interface Cell {
  /** `row: column`. */
  readonly name: string;
  /** Undefined: not measured yet. */
  readonly row: Row | undefined;
}

export function matrixOf(note: string, cells: readonly Cell[]): string {
  const placed = cells.map(({ name, row }) => {
    const [line = "", column = ""] = name.split(": ");
    return { line, column, row };
  });
  const lines = [...new Set(placed.map(({ line }) => line))];
  const columns = [...new Set(placed.map(({ column }) => column))];
  const at = (line: string, column: string): Row | undefined =>
    placed.find((cell) => cell.line === line && cell.column === column)?.row;
  const body = lines.map((line) => [
    line,
    ...columns.map((column) => {
      // Runs with some of the gates are measured beside one with all of them, or with none.
      const clean = at(CLEAN, column) ?? at(CLEAN, "gates") ?? at(CLEAN, "no gates");
      return cellOf(at(line, column), line === CLEAN ? undefined : clean);
    }),
  ]);
  return `${note}\n\n${markdown([["attack", ...columns], ...body])}`;
}

function cellOf(row: Row | undefined, clean: Row | undefined): string {
  if (row === undefined) return "";
  const nats = row.validationLossNats;
  // Stored as null.
  const isFinite = Number.isFinite(nats);
  if (clean === undefined) return nats.toFixed(3);
  const more = nats - clean.validationLossNats;
  const share = `(${((row.hostileIncludedShare ?? 0) * 100).toFixed(0)} %)`;
  return isFinite ? `${more >= 0 ? "+" : ""}${more.toFixed(3)} ${share}` : `diverged ${share}`;
}

/** Live runs, for people: `starling runs`. */
import Table from "cli-table3";
import type { RunListing } from "../node/index.ts";
import { UNKNOWN, bytes, count } from "./format.ts";

const HEAD = ["name", "phase", "parameters", "contributors", "memory", "traffic a round", "told by"];
const NAME_CHARS_MAX = 32;

export function describeRuns(runs: readonly RunListing[]): string {
  if (runs.length === 0) return "no node told of a run\n";
  const table = new Table({
    head: HEAD,
    style: { head: [], border: [], compact: true },
    colAligns: HEAD.map((name) => (name === "name" ? "left" : "right")),
  });
  for (const run of runs) {
    table.push([
      printable(run.name),
      run.phasesCount === 1 ? UNKNOWN : `${run.phase} of 0 to ${run.phasesCount - 1}`,
      count(run.parameters),
      run.contributors,
      bytes(run.memoryBytes),
      bytes(run.roundTrafficBytes),
      `${run.peers.length} ${run.peers.length === 1 ? "node" : "nodes"}`,
    ]);
  }
  const joining = runs.map(({ name, address }) => `  # ${printable(name)}\n  $ starling join ${address}\n`);
  return `${table.toString()}\n\nTo join one:\n${joining.join("")}`;
}

/** A stranger's words: nothing that a terminal would act on. */
function printable(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "?").slice(0, NAME_CHARS_MAX);
}

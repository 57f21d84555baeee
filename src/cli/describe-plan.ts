/** A ladder as a table: what each rung is, and what it asks of a node. */
import Table from "cli-table3";
import type { PlanRow } from "../node/index.ts";
import { UNKNOWN, bytes, count } from "./format.ts";

const HEAD = [
  "phase",
  "parameters",
  "growth",
  "tokens",
  "nodes",
  "memory",
  "delta",
  "in + out a round",
  "is",
];

/** Lines joined by newlines, without one at the end. */
export function describePlan(rows: readonly PlanRow[]): string {
  const table = new Table({
    head: HEAD,
    style: { head: [], border: [], compact: true },
    colAligns: HEAD.map((name) => (name === "is" ? "left" : "right")),
  });
  for (const row of rows) {
    table.push([
      row.phase,
      count(row.parameters),
      row.growth === null ? UNKNOWN : `${row.growth.toFixed(1)}x`,
      count(row.tokensBudget),
      row.nodes,
      bytes(row.memoryBytes),
      range(row.deltaBytes),
      range(row.trafficBytes),
      statusOf(row),
    ]);
  }
  return [table.toString(), ...notesOn(rows)].join("\n");
}

/** What the phase begins with and what it ends with. */
function range({ first, last }: { first: number; last: number }): string {
  return first === last ? bytes(first) : `${bytes(first)} to ${bytes(last)}`;
}

function statusOf({ inManifest, fitsOneNode }: PlanRow): string {
  if (inManifest) return fitsOneNode ? "in the manifest" : "in the manifest, too large for one node";
  return fitsOneNode ? "a plan" : "a plan, too large for one node";
}

function notesOn(rows: readonly PlanRow[]): string[] {
  const notes = [
    "Memory is an estimate of one node's peak while training; traffic is one node's, with all nodes there.",
  ];
  const first = rows.find(({ fitsOneNode }) => !fitsOneNode);
  if (first !== undefined) {
    notes.push(
      `Phase ${first.phase} is where a single node stops being enough: ${bytes(first.memoryBytes)} are more than a machine of 128 GB has. From there`,
      "on one copy of the model has to be cut across machines, which this version can't do: a plan and nothing else.",
    );
  }
  return notes;
}

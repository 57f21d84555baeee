/** Several nodes' statuses side by side: a table for a terminal, one line per round for everything else. */
import { styleText } from "node:util";
import Table from "cli-table3";
import type { NodeStatus } from "../node/index.ts";
import { UNKNOWN, bytes, count, nats, shortRoot } from "./format.ts";

/** What a line shows. */
export type ShownStatus = Pick<
  NodeStatus,
  | "state"
  | "round"
  | "lossNats"
  | "validationLossNats"
  | "peersCount"
  | "contributionsPublished"
  | "contributionsIncluded"
  | "bytesIn"
  | "bytesOut"
  | "tokensPerSecond"
> & { readonly settled: { readonly round: number; readonly root: string } | null };

/** One node that somebody watches; `status` is the last that it said, null before its first word. */
export interface WatchedNode {
  readonly name: string;
  /** `dead` when its process is gone. */
  readonly alive: boolean;
  readonly status: ShownStatus | null;
}

const HEAD = [
  "node",
  "state",
  "round",
  "loss",
  "val. loss",
  "peers",
  "incl./publ.",
  "in",
  "out",
  "tok/s",
  "root",
];

/** Lines joined by newlines, without one at the end. `colour` adds ANSI colours; everything else is plain text. */
export function renderTable(nodes: readonly WatchedNode[], options: { colour: boolean }): string {
  const table = new Table({
    head: HEAD,
    style: { head: [], border: [], compact: true },
    colAligns: HEAD.map((_, column) => (column < 2 ? "left" : "right")),
  });
  const paint = options.colour ? colourOf : () => undefined;
  for (const node of nodes) table.push(cellsOf(node, paint(node)));
  return table.toString();
}

/** `round  12  loss 3.214  val. loss 3.301  peers 3  included 40/44  out 1.2 MB  tok/s 9.1 k  root 1f3a77c0 (8)`. */
export function renderLine(nodes: readonly WatchedNode[]): string {
  const alive = nodes.filter((node) => node.alive);
  const statuses = alive.map((node) => node.status).filter((status) => status !== null);
  const foremost = statuses.toSorted((a, b) => (b.settled?.round ?? -1) - (a.settled?.round ?? -1))[0];
  const settled = foremost?.settled;
  return [
    `round ${String(roundOf(nodes)).padStart(3)}`,
    `loss ${nats(mean(statuses.map((status) => status.lossNats)))}`,
    `val. loss ${nats(mean(statuses.map((status) => status.validationLossNats)))}`,
    `nodes ${alive.length}`,
    `included ${sum(statuses.map((s) => s.contributionsIncluded))}/${sum(statuses.map((s) => s.contributionsPublished))}`,
    `out ${bytes(sum(statuses.map((status) => status.bytesOut)))}`,
    `tok/s ${count(sum(statuses.map((status) => status.tokensPerSecond ?? 0)))}`,
    `root ${shortRoot(settled?.root)}${settled ? ` (${settled.round})` : ""}`,
  ].join("  ");
}

/** The highest round that a living node is in; -1 when none has said. */
export function roundOf(nodes: readonly WatchedNode[]): number {
  return Math.max(-1, ...nodes.map((node) => (node.alive ? (node.status?.round ?? -1) : -1)));
}

type Paint = "red" | "green" | undefined;

function colourOf(node: WatchedNode): Paint {
  if (!node.alive) return "red";
  return node.status?.state === "finished" ? "green" : undefined;
}

function cellsOf({ name, alive, status }: WatchedNode, paint: Paint): string[] {
  const word = alive ? (status?.state ?? "starting") : "dead";
  // Whether there is a terminal is the caller's to know.
  const state = paint === undefined ? word : styleText(paint, word, { validateStream: false });
  if (status === null) return [name, state, ...HEAD.slice(2).map(() => UNKNOWN)];
  return [
    name,
    state,
    String(status.round),
    nats(status.lossNats),
    nats(status.validationLossNats),
    String(status.peersCount),
    `${status.contributionsIncluded}/${status.contributionsPublished}`,
    bytes(status.bytesIn),
    bytes(status.bytesOut),
    count(status.tokensPerSecond),
    shortRoot(status.settled?.root),
  ];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Of those that are known. */
function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : sum(known) / known.length;
}

/** Several nodes' statuses side by side: a table for a terminal, one line per round for everything else. */
import { styleText } from "node:util";
import Table from "cli-table3";
import type { NodeStatus } from "../node/index.ts";
import { UNKNOWN, bytes, count, doneShare, nats, shortRoot } from "./format.ts";

/** What a line shows. */
export type ShownStatus = Pick<
  NodeStatus,
  | "state"
  | "phase"
  | "ladder"
  | "tokensTotal"
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

/** Of a run with a ladder, after the state: phase and how much of it is done, place and seats of the next one. */
const LADDER_HEAD = ["phase", "rank"];

/** Lines joined by newlines, without one at the end. `colour` adds ANSI colours; everything else is plain text. */
export function renderTable(nodes: readonly WatchedNode[], options: { colour: boolean }): string {
  const [name, state, ...rest] = HEAD;
  const isClimb = nodes.some(({ status }) => climbs(status));
  const head = isClimb ? [name, state, ...LADDER_HEAD, ...rest] : HEAD;
  const table = new Table({
    head: [...head] as string[],
    style: { head: [], border: [], compact: true },
    colAligns: head.map((_, column) => (column < 2 ? "left" : "right")),
  });
  const paint = options.colour ? colourOf : () => undefined;
  for (const node of nodes) {
    const [called, word, ...cells] = cellsOf(node, paint(node)) as [string, string, ...string[]];
    table.push([called, word, ...(isClimb ? ladderCells(node.status) : []), ...cells]);
  }
  return table.toString();
}

function climbs(status: ShownStatus | null): boolean {
  return (status?.ladder?.phasesCount ?? 1) > 1;
}

/** `3 45 %` and `2/3`. */
function ladderCells(status: ShownStatus | null): [string, string] {
  if (status === null || status.ladder === null) return [UNKNOWN, UNKNOWN];
  const { phase, tokensTotal, ladder } = status;
  const rank = ladder.rank ?? UNKNOWN;
  return [
    `${phase} ${doneShare(tokensTotal, ladder)}`,
    ladder.seats === null ? `${rank}` : `${rank}/${ladder.seats}`,
  ];
}

/** `round  12  loss 3.214  val. loss 3.301  peers 3  included 40/44  out 1.2 MB  tok/s 9.1 k  root 1f3a77c0 (8)`. */
export function renderLine(nodes: readonly WatchedNode[]): string {
  const alive = nodes.filter((node) => node.alive);
  const statuses = alive.map((node) => node.status).filter((status) => status !== null);
  const { phase, round } = positionOf(nodes);
  const [foremost] = statuses.toSorted(
    (a, b) => b.phase - a.phase || (b.settled?.round ?? -1) - (a.settled?.round ?? -1),
  );
  const climber = foremost !== undefined && climbs(foremost) ? foremost : undefined;
  const settled = foremost?.settled;
  return [
    ...(climber?.ladder ? [`phase ${phase} ${doneShare(climber.tokensTotal, climber.ladder)}`] : []),
    `round ${String(round).padStart(3)}`,
    `loss ${nats(mean(statuses.map((status) => status.lossNats)))}`,
    `val. loss ${nats(mean(statuses.map((status) => status.validationLossNats)))}`,
    `nodes ${alive.length}`,
    `included ${sum(statuses.map((s) => s.contributionsIncluded))}/${sum(statuses.map((s) => s.contributionsPublished))}`,
    `out ${bytes(sum(statuses.map((status) => status.bytesOut)))}`,
    `tok/s ${count(sum(statuses.map((status) => status.tokensPerSecond ?? 0)))}`,
    `root ${shortRoot(settled?.root)}${settled ? ` (${settled.round})` : ""}`,
  ].join("  ");
}

/** The highest phase that a living node is in, and the highest round there; -1 when none has said. */
export function positionOf(nodes: readonly WatchedNode[]): { phase: number; round: number } {
  const statuses = nodes.flatMap(({ alive, status }) => (alive && status !== null ? [status] : []));
  const phase = Math.max(-1, ...statuses.map((status) => status.phase));
  const there = statuses.filter((status) => status.phase === phase);
  return { phase, round: Math.max(-1, ...there.map(({ round }) => round)) };
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

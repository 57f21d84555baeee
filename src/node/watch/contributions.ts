/** The newest contributions that a node holds, and what became of them as it sees history now. */
import type { Contribution, ContributionGraph, View } from "../../consensus/index.ts";
import type { ContributionRow } from "../../dashboard/index.ts";

/** Guess: a few rounds of a full flock, or dozens of a small one. */
const ROWS_MAX = 160;

/** Newest round first, then by author. */
export function contributionRows(graph: ContributionGraph, view: View): ContributionRow[] {
  const rows: ContributionRow[] = [];
  for (let round = graph.roundsCount - 1; round >= 0 && rows.length < ROWS_MAX; round--) {
    const sorted = graph.round(round).toSorted((a, b) => (a.header.author < b.header.author ? -1 : 1));
    for (const contribution of sorted.slice(0, ROWS_MAX - rows.length))
      rows.push(rowOf(contribution, graph, view));
  }
  return rows;
}

function rowOf(c: Contribution, graph: ContributionGraph, view: View): ContributionRow {
  const { author, round, work, delta } = c.header;
  return {
    id: c.id,
    author,
    round,
    steps: work.steps,
    tokens: work.tokens,
    lossNats: work.lossLast,
    deltaBytes: delta?.bytes ?? 0,
    ...fateOf(c, graph, view),
  };
}

/** The reasons are those of `starling ledger` (verify/ledger.ts), as far as a running node can tell. */
function fateOf(
  c: Contribution,
  graph: ContributionGraph,
  view: View,
): Pick<ContributionRow, "fate" | "why"> {
  const { author, round, settled } = c.header;
  if (round >= view.round) return { fate: "arriving", why: null };
  const included = view.included(round);
  if (included.includes(c)) return { fate: round < view.settledRound ? "settled" : "included", why: null };
  const kin = included[0]?.header.settled;
  if (kin !== undefined && kin.root !== settled.root) return { fate: "excluded", why: "other history" };
  const isTwice = graph.round(round).some((other) => other !== c && other.header.author === author);
  if (isTwice) return { fate: "excluded", why: "equivocation" };
  const why = round === view.round - 1 ? "late: not cited" : "not cited by half of the weight";
  return { fate: "excluded", why };
}

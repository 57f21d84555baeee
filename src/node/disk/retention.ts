/**
 * Which bodies may go (docs/design.md, section 7): headers are kept for ever, bodies until their round has been settled for
 * a while. By then everybody who was there has folded them, and whoever comes later begins at a settled state.
 */
import type { ContributionGraph } from "../../consensus/index.ts";
import type { Cid } from "../../core/index.ts";

/** Bodies of so many settled rounds are kept. From: design, section 7. */
export const BODIES_KEPT_ROUNDS = 64;

/**
 * The deltas of the rounds from `from` up to 64 below the settled one, but for those that a later round names too: the same
 * bytes have one name. `until`: the first round that keeps its own.
 */
export function bodiesToDrop(
  graph: ContributionGraph,
  { from, settledRound }: { from: number; settledRound: number },
): { until: number; bodies: Cid[] } {
  const until = Math.max(from, settledRound - BODIES_KEPT_ROUNDS);
  if (until === from) return { until, bodies: [] };
  const kept = deltasOf(graph, until, graph.roundsCount);
  return { until, bodies: [...deltasOf(graph, from, until).difference(kept)] };
}

function deltasOf(graph: ContributionGraph, from: number, until: number): Set<Cid> {
  const deltas = new Set<Cid>();
  for (let round = from; round < until; round++)
    for (const { header } of graph.round(round)) if (header.delta !== null) deltas.add(header.delta.cid);
  return deltas;
}

/**
 * Which history a folder tells, when contributions disagree: the one of the node's own newest contribution, followed to
 * its newest tip. Without an own one, that of the heaviest author of the newest round.
 */
import {
  type Contribution,
  type ContributionGraph,
  type Header,
  type View,
  chooseParents,
  lastPublished,
} from "../../consensus/index.ts";
import type { PeerId } from "../../core/index.ts";

export interface SettledHistory {
  /** As the round after the tip would see it. */
  readonly view: View;
  /** One contribution of this history for each round up to the tip's, each citing the one before. */
  readonly spine: readonly Contribution[];
}

/** Undefined when there is no contribution at all. */
export function settledHistory(
  graph: ContributionGraph,
  self: PeerId | undefined,
): SettledHistory | undefined {
  const own = self && lastPublished(graph.of(self));
  const tip = own === undefined ? heaviest(graph.round(graph.roundsCount - 1)) : newestAbove(graph, own);
  if (tip === undefined) return undefined;
  const spine: Contribution[] = [];
  for (let c: Contribution | undefined = tip; c !== undefined; c = firstParent(graph, c.header))
    spine[c.header.round] = c;
  const parents = chooseParents(graph.round(tip.header.round), tip.view, tip.header.settled.root);
  // A tip whose author equivocates in its round is nobody's parent.
  const view = parents.length === 0 ? tip.view : graph.view(tip.header.round + 1, parents);
  return { view, spine };
}

/** Whether a contribution names another settled root than this history does in the same round. */
export function isElsewhere({ spine }: SettledHistory, { header }: Contribution): boolean {
  return spine[header.round]?.header.settled.root !== header.settled.root;
}

/** All parents of a contribution name one settled root, so any of them tells which history it is of. */
export function firstParent(graph: ContributionGraph, { parents: [id] }: Header): Contribution | undefined {
  return id === undefined ? undefined : graph.get(id);
}

/** The newest contribution that builds on what `own` says has settled. */
function newestAbove(graph: ContributionGraph, own: Contribution): Contribution {
  for (let round = graph.roundsCount - 1; round > own.header.round; round--) {
    const tip = heaviest(graph.round(round).filter((c) => extendsSettled(graph, c, own)));
    if (tip !== undefined) return tip;
  }
  return own;
}

function extendsSettled(graph: ContributionGraph, tip: Contribution, own: Contribution): boolean {
  let at: Contribution | undefined = tip;
  while (at !== undefined && at.header.round > own.header.round) at = firstParent(graph, at.header);
  return at?.header.settled.root === own.header.settled.root;
}

function heaviest(contributions: readonly Contribution[]): Contribution | undefined {
  const weighed = contributions.map((c) => ({ c, weight: c.view.weightOf(c.header.author) }));
  const [first] = weighed.toSorted((a, b) => b.weight - a.weight || (a.c.id < b.c.id ? -1 : 1));
  return first?.c;
}

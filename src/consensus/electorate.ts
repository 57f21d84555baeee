/**
 * Who is waited for in a round: the authors of S(R-2) with their voting weight, never a count of peers, because
 * keys are free. Only round 0 of a run without founders counts heads: there is no history yet.
 */
import type { PeerId } from "../core/index.ts";
import type { View } from "./view.ts";

export interface Electorate {
  readonly total: number;
  weightOf(author: PeerId): number;
}

export function electorateOf(view: View): Electorate {
  const { founders, rule } = view.context;
  if (view.round === 0) {
    if (founders.length === 0) return { total: rule.startPeers, weightOf: () => 1 };
    return { total: founders.length, weightOf: (author) => (founders.includes(author) ? 1 : 0) };
  }
  const voters = view.round === 1 ? view.parents : view.included(view.round - 2);
  const authors = new Set(voters.map(({ header }) => header.author));
  const nobodyWeighs = [...authors].every((author) => view.weightOf(author) === 0);
  const weightOf = (author: PeerId): number => {
    if (!authors.has(author)) return 0;
    return nobodyWeighs ? 1 : view.weightOf(author);
  };
  let total = 0;
  for (const author of authors) total += weightOf(author);
  return { total, weightOf };
}

/** The same without one author, who is not going to publish; unless nobody would be left. */
export function without(electorate: Electorate, absent: PeerId): Electorate {
  const total = electorate.total - electorate.weightOf(absent);
  if (total <= 0) return electorate;
  return { total, weightOf: (author) => (author === absent ? 0 : electorate.weightOf(author)) };
}

export function weightOfAll(electorate: Electorate, authors: Iterable<PeerId>): number {
  let weight = 0;
  for (const author of authors) weight += electorate.weightOf(author);
  return weight;
}

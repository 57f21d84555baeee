/**
 * Who is waited for in a round: the authors of S(R-2) with their voting weight, never a count of peers, because
 * keys are free. Where those hold less than half of all voting weight, everybody who weighs: whoever is cut off from
 * the majority goes on slowly and comes back to it, instead of running ahead alone. Only round 0 of a run without
 * founders counts heads: there is no history yet.
 */
import type { PeerId } from "../core/index.ts";
import type { View } from "./view.ts";

export interface Electorate {
  readonly total: number;
  /** `author`: its number (roster.ts). */
  weightOf(author: number): number;
}

const known = new WeakMap<View, Electorate>();

/** The same for all who share the view. */
export function electorateOf(view: View): Electorate {
  const electorate = known.get(view) ?? findElectorate(view);
  known.set(view, electorate);
  return electorate;
}

function findElectorate(view: View): Electorate {
  const { founders, firstVoters, rule, roster } = view.context;
  const from = (weights: Iterable<readonly [PeerId, number]>): Electorate =>
    electorateFrom([...weights].map(([author, weight]) => [roster.numberOf(author), weight]));
  const isNobodyKnown = founders.length === 0 && firstVoters === undefined;
  if (view.round === 0 && isNobodyKnown) return { total: rule.startPeers, weightOf: () => 1 };
  const everybody = from(view.voters());
  if (view.round === 0) return everybody;
  const voters = view.round === 1 ? view.parents : view.included(view.round - 2);
  if (everybody.total === 0)
    return electorateFrom(voters.map(({ authorNumber }) => [authorNumber, 1] as const));
  const electorate = electorateFrom(
    voters.map(({ header, authorNumber }) => [authorNumber, view.weightOf(header.author)] as const),
  );
  return 2 * electorate.total >= everybody.total ? electorate : everybody;
}

/** `weights`: by authors' numbers, each once. */
function electorateFrom(weights: readonly (readonly [author: number, weight: number])[]): Electorate {
  const byAuthor = new Float64Array(weights.reduce((length, [author]) => Math.max(length, author + 1), 0));
  let total = 0;
  for (const [author, weight] of weights) {
    byAuthor[author] = weight;
    total += weight;
  }
  return { total, weightOf: (author) => byAuthor[author] ?? 0 };
}

/** The same without one author, who is not going to publish; unless nobody would be left. */
export function without(electorate: Electorate, absent: number): Electorate {
  const total = electorate.total - electorate.weightOf(absent);
  if (total <= 0) return electorate;
  return { total, weightOf: (author) => (author === absent ? 0 : electorate.weightOf(author)) };
}

/** Whether others than `self` with this weight hold half of it; or all the others' where `self` holds over half. */
export function isHalf(electorate: Electorate, weight: number, self: number): boolean {
  return weight > 0 && (2 * weight >= electorate.total || weight >= without(electorate, self).total);
}

/**
 * Accepted work: what counts of a contribution, in voting weight, in credits and in the phase's budget. Token claims
 * count at most the median, or a third of the peers could claim half the weight; and the median goes by voting weight, or
 * many keys with little work each could pull it down until all keys count alike.
 */
import type { ContributionId, PeerId } from "../core/index.ts";
import type { Header } from "./header.ts";
import type { Contribution } from "./view.ts";

export type WeightTable = ReadonlyMap<PeerId, number>;
export type WeightOf = (author: PeerId) => number;

/** One of an included set that trained. */
export interface CountedWork {
  readonly id: ContributionId;
  readonly header: Header;
  /** min(tokens, median tokens) */
  readonly tokens: number;
}

/** The contributions of one included set that trained, in its order, with the tokens that count. */
export function countedWork(included: readonly Contribution[], weightOf: WeightOf): CountedWork[] {
  const median = medianTokens(included, weightOf);
  return included
    .filter(({ header }) => header.delta !== null)
    .map(({ id, header }) => ({ id, header, tokens: Math.min(header.work.tokens, median) }));
}

/** The same by author. */
export function countedTokens(included: readonly Contribution[], weightOf: WeightOf): WeightTable {
  return new Map(countedWork(included, weightOf).map(({ header, tokens }) => [header.author, tokens]));
}

/**
 * The least tokens at which the cumulated voting weight of those that trained reaches half; each counts one where none
 * of them weighs anything. 0 when none trained.
 */
export function medianTokens(included: readonly Contribution[], weightOf: WeightOf): number {
  const trained = included.filter(({ header }) => header.delta !== null);
  const weights = trained.map(({ header }) => weightOf(header.author));
  const nobodyWeighs = weights.every((weight) => weight === 0);
  return weightedMedian(
    trained.map(({ header }) => header.work.tokens),
    nobodyWeighs ? weights.map(() => 1) : weights,
  );
}

/** The least value at which the cumulated weight reaches half of the total; 0 for none. */
export function weightedMedian(values: readonly number[], weights: readonly number[]): number {
  const order = values.map((_, i) => i).sort((a, b) => (values[a] as number) - (values[b] as number));
  const total = weights.reduce((a, b) => a + b, 0);
  let cumulated = 0;
  for (const i of order) {
    cumulated += weights[i] as number;
    if (2 * cumulated >= total) return values[i] as number;
  }
  return 0;
}

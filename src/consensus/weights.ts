/**
 * Voting weight: accepted work. An author's weight is the sum over the last `weightWindow` settled rounds of
 * min(tokens, median tokens) of its included contributions. Token claims count at most the median, or a third of
 * the peers could claim half the weight; and the median is that of the voting weight, or many keys with little work
 * each could pull it down until all keys count alike.
 */
import type { ContributionId, PeerId } from "../core/index.ts";
import type { Header } from "./header.ts";
import type { Contribution } from "./view.ts";

export type WeightTable = ReadonlyMap<PeerId, number>;
export type WeightOf = (author: PeerId) => number;

export interface CountedWork {
  readonly id: ContributionId;
  readonly header: Header;
  readonly tokens: number;
}

/** The table one settled round later: what counts in it enters, the round that falls out of the window goes. */
export function extendTable(table: WeightTable, entering: WeightTable, leaving: WeightTable): WeightTable {
  const next = new Map(table);
  for (const [author, tokens] of entering) next.set(author, (next.get(author) ?? 0) + tokens);
  for (const [author, tokens] of leaving) {
    const left = (next.get(author) ?? 0) - tokens;
    if (left > 0) next.set(author, left);
    else next.delete(author);
  }
  return next;
}

/** The contributions of one included set that trained, in its order, with the tokens that count: min(tokens, median). */
export function countedWork(included: readonly Contribution[], weightOf: WeightOf): readonly CountedWork[] {
  const trained = included.filter(({ header }) => header.delta !== null);
  const median = medianTokens(trained, weightOf);
  return trained.map(({ id, header }) => ({ id, header, tokens: Math.min(header.work.tokens, median) }));
}

/** The same by author. */
export function countedTokens(included: readonly Contribution[], weightOf: WeightOf): WeightTable {
  return new Map(countedWork(included, weightOf).map(({ header, tokens }) => [header.author, tokens]));
}

/**
 * The least tokens at which the cumulated voting weight of `trained` reaches half; each counts one where nobody weighs
 * anything. 0 for none.
 */
export function medianTokens(trained: readonly Contribution[], weightOf: WeightOf): number {
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

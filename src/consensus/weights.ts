/**
 * Voting weight: accepted work. An author's weight is the sum over the last `weightWindow` settled rounds of
 * min(tokens, median tokens) of its included contributions. Token claims count at most the median, or a third of
 * the peers could claim half the weight.
 */
import type { ContributionId, PeerId } from "../core/index.ts";
import type { Header } from "./header.ts";
import type { Contribution } from "./view.ts";

export type WeightTable = ReadonlyMap<PeerId, number>;
export type WeightOf = (author: PeerId) => number;

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
export function countedWork(
  included: readonly Contribution[],
): { readonly id: ContributionId; readonly header: Header; readonly tokens: number }[] {
  const median = medianTokens(included);
  return included
    .filter(({ header }) => header.delta !== null)
    .map(({ id, header }) => ({ id, header, tokens: Math.min(header.work.tokens, median) }));
}

/** The same by author. */
export function countedTokens(included: readonly Contribution[]): WeightTable {
  return new Map(countedWork(included).map(({ header, tokens }) => [header.author, tokens]));
}

/** Lower median of the tokens of those that trained; 0 when none did. */
export function medianTokens(included: readonly Contribution[]): number {
  const tokens = included
    .filter(({ header }) => header.delta !== null)
    .map(({ header }) => header.work.tokens);
  tokens.sort((a, b) => a - b);
  return tokens[(tokens.length - 1) >> 1] ?? 0;
}

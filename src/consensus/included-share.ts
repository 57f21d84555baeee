/** How much of the work of a round was not too late for the others: what the grace adapts to (tempo.ts). */
import type { Contribution, View } from "./view.ts";

/**
 * Of the weight that published round R-2, the share that the view of round R includes; 1 when nobody did. `heard`: what is
 * here of it in full. While founders alone weigh, heads: a grace that goes by them would never adapt to anybody else.
 */
export function includedShare(view: View, heard: readonly Contribution[]): number {
  const isFirst = view.lineage.round === 0;
  const weigh = (all: readonly Contribution[]): number => {
    const authors = new Set(all.map(({ header }) => header.author));
    let weight = 0;
    for (const author of authors) weight += isFirst ? 1 : view.weightOf(author);
    return weight;
  };
  const published = weigh(heard);
  return published === 0 ? 1 : weigh(view.included(view.round - 2)) / published;
}

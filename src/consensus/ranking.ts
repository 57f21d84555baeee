/**
 * Who has done the most for a phase, in an order that every node computes alike. The score is a parameter: accepted work
 * today; a score that verdicts go into takes its place without a change here.
 */
import { type Digest, type PeerId, digestOf } from "../core/index.ts";
import type { View } from "./view.ts";

/** Settled rounds [from, until) of a view. */
export interface RoundRange {
  readonly from: number;
  readonly until: number;
}

/** Positive integers by author; who is not in it has done nothing that counts. A function of settled history alone. */
export type Score = (view: View, rounds: RoundRange) => ReadonlyMap<PeerId, number>;

/** Included tokens, counted as voting weight counts them. */
export const acceptedWork: Score = (view, { from, until }) => {
  const work = new Map<PeerId, number>();
  for (let round = from; round < until; round++) {
    for (const { header, tokens } of view.counted(round)) {
      work.set(header.author, (work.get(header.author) ?? 0) + tokens);
    }
  }
  return work;
};

/**
 * Authors by falling score. Ties, which equal machines make often, go by lot: sha256(root/author), with a settled root
 * that nobody knew while working, so that no key can be made to win.
 */
export function rankAuthors(scores: ReadonlyMap<PeerId, number>, root: Digest): PeerId[] {
  const lots = new Map<PeerId, string>();
  for (const author of scores.keys())
    lots.set(author, digestOf(new TextEncoder().encode(`${root}/${author}`)));
  const before = (a: PeerId, b: PeerId): boolean => (lots.get(a) as string) < (lots.get(b) as string);
  return [...scores].toSorted(([a, x], [b, y]) => y - x || (before(a, b) ? -1 : 1)).map(([author]) => author);
}

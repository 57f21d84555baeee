/**
 * What became of our own deltas. A delta that history leaves out, because its round settled without it or because
 * the history that held it lost to another, goes back into the residual. All of it follows from our own headers
 * (each names the history it was made in), so nothing needs to be remembered across a crash.
 */
import { type ContributionId, type Digest, digestOf, digestToBytes } from "../core/index.ts";
import { belongs } from "./histories.ts";
import type { Contribution, View } from "./view.ts";

/** The one published last: no other opens its lot. Not the one of the highest round, once a history was left. */
export function lastPublished(own: readonly Contribution[]): Contribution | undefined {
  const opened = new Set<Digest>();
  for (const { header } of own) {
    if (header.lot.reveal !== null) opened.add(digestOf(digestToBytes(header.lot.reveal)));
  }
  return own.findLast(({ header }) => !opened.has(header.lot.next));
}

/** How the residual changes before the next training, so that every own delta is either in history or in it. */
export interface Returns {
  /** History leaves them out, and our last contribution still counted on it: back into the residual. */
  readonly restore: readonly ContributionId[];
  /** They were in the residual already, but the history that we went over to has them: out of it again. */
  readonly withdraw: readonly ContributionId[];
}

export function returnsOf(own: readonly Contribution[], view: View): Returns {
  const last = lastPublished(own);
  const restore: ContributionId[] = [];
  const withdraw: ContributionId[] = [];
  for (const c of own) {
    if (c.header.delta === null) continue;
    const isOut = isExcluded(c, view);
    const wasOut = last !== undefined && c !== last && isExcluded(c, last.view, last.header.settled.round);
    if (isOut && !wasOut) restore.push(c.id);
    if (wasOut && !isOut) withdraw.push(c.id);
  }
  return { restore, withdraw };
}

function isExcluded(c: Contribution, view: View, settledRound: number = view.settledRound): boolean {
  if (!belongs(c, view)) return true;
  return c.header.round < settledRound && !view.included(c.header.round).includes(c);
}

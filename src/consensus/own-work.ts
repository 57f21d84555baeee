/**
 * Our own contributions, and what became of their deltas. A delta that history leaves out, because its round settled
 * without it or because the history that held it lost to another, goes back into the residual. All of it follows from
 * our own headers (each names the history it was made in), so nothing needs to be remembered across a crash.
 */
import { type ContributionId, type Digest, digestOf, digestToBytes } from "../core/index.ts";
import { type Lineage, forkOf } from "./lineage.ts";
import type { Contribution, View } from "./view.ts";

/** How the residual changes before the next training, so that every own delta is either in history or in it. */
export interface Returns {
  /** History leaves them out, and our last contribution still counted on it: back into the residual. */
  readonly restore: readonly ContributionId[];
  /** They were in the residual already, but the history that we went over to has them: out of it again. */
  readonly withdraw: readonly ContributionId[];
}

export class OwnWork {
  /** In the order in which they were linked. */
  readonly #all: Contribution[] = [];
  readonly #byRound: Contribution[][] = [];
  /** Lots that later ones opened. */
  readonly #opened = new Set<Digest>();

  take(own: Contribution): void {
    const { round, lot } = own.header;
    this.#all.push(own);
    (this.#byRound[round] ??= []).push(own);
    if (lot.reveal !== null) this.#opened.add(digestOf(digestToBytes(lot.reveal)));
  }

  /** The one published last: no other opens its lot. Not the one of the highest round, once a history was left. */
  get last(): Contribution | undefined {
    return this.#all.findLast(({ header }) => !this.#opened.has(header.lot.next));
  }

  /** Ours of a round, in this history. */
  in(round: number, lineage: Lineage): Contribution | undefined {
    return this.#byRound[round]?.find((own) => own.lineage.agrees(lineage));
  }

  returns(view: View): Returns {
    const { last } = this;
    const restore: ContributionId[] = [];
    const withdraw: ContributionId[] = [];
    for (let r = last === undefined ? 0 : firstOpen(last, view); r < this.#byRound.length; r++) {
      for (const own of this.#byRound[r] ?? []) {
        if (own.header.delta === null) continue;
        const isOut = isExcluded(own, view, view.settledRound);
        const wasOut =
          last !== undefined && own !== last && isExcluded(own, last.view, last.header.settled.round);
        if (isOut && !wasOut) restore.push(own.id);
        if (wasOut && !isOut) withdraw.push(own.id);
      }
    }
    return { restore, withdraw };
  }
}

/** Of all that an author published, by round. */
export function lastPublished(own: readonly Contribution[]): Contribution | undefined {
  const work = new OwnWork();
  for (const c of own) work.take(c);
  return work.last;
}

/** Rounds below it had settled when the last one was made, and are the same in this view. */
function firstOpen(last: Contribution, view: View): number {
  const before = last.view.lineage;
  return before.agrees(view.lineage) ? before.round : forkOf(before, view.lineage);
}

function isExcluded(own: Contribution, view: View, settledRound: number): boolean {
  if (!own.lineage.agrees(view.lineage)) return true;
  return own.header.round < settledRound && !view.included(own.header.round).includes(own);
}

/**
 * Who supports a proposed successor of the run: contributions name one in `supports`, and those who vote decide by what has
 * settled. A proposal is carried at T, the first settled round such that in each of the `settleDepth` rounds below it the
 * authors of S(r) that name it hold two thirds of all voting weight, as of the table that S(r) itself names. A
 * pure function of settled history: everybody who follows it computes the same T.
 */
import type { Cid } from "../core/index.ts";
import type { Lineage } from "./lineage.ts";
import { type View, settledRoundAt } from "./view.ts";

/** Share of all voting weight whose authors' included contributions of a round name each proposal, 0..1. */
export function supportIn(view: View, round: number): ReadonlyMap<Cid, { weight: number; of: number }> {
  const table = view.weightsAt(settledRoundAt(round, view.context.rule));
  let of = 0;
  for (const weight of table.values()) of += weight;
  const support = new Map<Cid, { weight: number; of: number }>();
  for (const { header } of view.included(round)) {
    const { supports, author } = header;
    if (supports === null) continue;
    const before = support.get(supports)?.weight ?? 0;
    support.set(supports, { weight: before + (table.get(author) ?? 0), of });
  }
  return support;
}

/** Reads every settled round once, however often it is asked. */
export class Support {
  #lineage: Lineage | undefined;
  /** Rounds below this one are read. */
  #round = 0;
  /** Up to the last round read, in how many in a row each proposal had two thirds. */
  #streaks = new Map<Cid, number>();
  readonly #carried = new Map<Cid, number>();

  /** T of a proposal in this view's settled history; undefined while it is not carried. */
  carriedAt(view: View, proposal: Cid): number | undefined {
    this.#read(view);
    const at = this.#carried.get(proposal);
    return at !== undefined && at <= view.settledRound ? at : undefined;
  }

  /** In how many of the newest settled rounds in a row a proposal had two thirds. */
  streakOf(view: View, proposal: Cid): number {
    this.#read(view);
    return this.#streaks.get(proposal) ?? 0;
  }

  #read(view: View): void {
    const { lineage, context, settledRound } = view;
    if (this.#lineage !== undefined && !lineage.agrees(this.#lineage)) this.#forget();
    this.#round = Math.max(this.#round, context.base?.round ?? 0);
    for (; this.#round < settledRound; this.#round++) {
      const streaks = new Map<Cid, number>();
      for (const [proposal, { weight, of }] of supportIn(view, this.#round)) {
        if (3 * weight < 2 * of || of === 0) continue;
        const streak = (this.#streaks.get(proposal) ?? 0) + 1;
        streaks.set(proposal, streak);
        if (streak >= context.rule.settleDepth && !this.#carried.has(proposal))
          this.#carried.set(proposal, this.#round + 1);
      }
      this.#streaks = streaks;
    }
    if (this.#lineage === undefined || lineage.round >= this.#lineage.round) this.#lineage = lineage;
  }

  #forget(): void {
    this.#lineage = undefined;
    this.#round = 0;
    this.#streaks.clear();
    this.#carried.clear();
  }
}

/**
 * Which of two histories that settled differently is to be followed (docs/design.md, section 4): the one where the
 * authors who went on hold more voting weight, as of the last settled round that both have in common; equal: the one
 * whose first different root is lower. Round numbers do not count, or racing alone would win.
 *
 * Only who names a root beyond the fork has gone on: what both sides still shared speaks for neither, or a false root
 * on top of everybody's work would weigh as much as everybody.
 */
import { type Lineage, forkOf } from "./lineage.ts";
import type { Contribution, View } from "./view.ts";

/** Other histories that are kept an eye on; the one heard of longest ago gives way. Guess. */
const RIVALS_MAX = 16;

/** Whether `rival` is to be followed instead of `ours`. */
export function wins(rival: View, ours: View): boolean {
  if (rival.lineage.agrees(ours.lineage)) return false;
  const fork = forkOf(rival.lineage, ours.lineage);
  const theirs = weightSince(rival, fork);
  const own = weightSince(ours, fork);
  if (theirs !== own) return theirs > own;
  const [theirRoot, ourRoot] = [rival, ours].map(({ lineage }) => lineage.at(fork + 1)?.root);
  return theirRoot !== undefined && ourRoot !== undefined && theirRoot < ourRoot;
}

/** Voting weight, as of the fork, of the authors who went on in a history. */
function weightSince(history: View, fork: number): number {
  const weights = history.weightsAt(fork);
  let weight = 0;
  for (const author of history.authorsSince(fork + 1 + history.context.rule.settleDepth))
    weight += weights.get(author) ?? 0;
  return weight;
}

/** The other histories that were heard of. */
export class Rivals {
  /** The newest contribution heard of each. */
  readonly #newest = new Map<Lineage, Contribution>();
  /** Histories that do not win against the view that was asked for last. */
  #beaten = new WeakSet<View>();
  #ours: View | undefined;

  /** A contribution that is not of our history. */
  take(c: Contribution): void {
    this.#newest.delete(c.lineage);
    this.#newest.set(c.lineage, c);
    const [oldest] = this.#newest.keys();
    if (oldest !== undefined && this.#newest.size > RIVALS_MAX) this.#newest.delete(oldest);
  }

  /** The contribution whose history outweighs ours, if there is one. A false root alone makes no history. */
  winner(ours: View): Contribution | undefined {
    if (this.#newest.size === 0) return undefined;
    if (this.#ours !== ours) this.#beaten = new WeakSet();
    this.#ours = ours;
    for (const c of this.#newest.values()) {
      if (this.#beaten.has(c.view)) continue;
      if (wins(c.view, ours)) return c;
      this.#beaten.add(c.view);
    }
    return undefined;
  }

  clear(): void {
    this.#newest.clear();
  }
}

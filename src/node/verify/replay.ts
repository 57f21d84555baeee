/**
 * Folds a history again: the settled weights, and on top of them what any view of the unsettled rounds adds. Addition is
 * modulo 2^32, so from one view to the next only the rounds that differ are taken out and put in.
 */
import type { DeltaReader } from "../../codec/index.ts";
import { type Contribution, type View, foldRound, foldTerms } from "../../consensus/index.ts";
import { type ContributionId, type Digest, bytesOf, rootOfBytes } from "../../core/index.ts";

type Included = readonly Contribution[];

export class Replay {
  /** (P,) fixed point: start weights minus A(S(r)) for all r < round. */
  readonly settled: Int32Array;
  /** (P,): the same for all rounds below that of the view that was asked for last. */
  readonly #weights: Int32Array;
  readonly #outerRate: number;
  /** What is in `#weights` on top of `settled`, by round. */
  readonly #applied = new Map<number, Included>();
  readonly #deltas = new Map<number, Map<ContributionId, DeltaReader>>();
  #round: number;
  #isBroken = false;

  constructor(start: Int32Array, o: { round: number; outerRate: number }) {
    this.settled = start.slice();
    this.#weights = start.slice();
    this.#round = o.round;
    this.#outerRate = o.outerRate;
  }

  /** Rounds below this one are settled. */
  get round(): number {
    return this.#round;
  }

  /** A delta was missing: nothing can be recomputed until weights are adopted. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Keeps a delta of a round that has not settled. */
  hold({ id, header }: Contribution, reader: DeltaReader): void {
    const deltas = this.#deltas.get(header.round) ?? new Map<ContributionId, DeltaReader>();
    this.#deltas.set(header.round, deltas.set(id, reader));
  }

  /** Root of the weights that a contribution with this view starts from; undefined when a delta is missing. */
  startOf(view: View): Digest | undefined {
    const rounds = Array.from({ length: view.round - this.#round }, (_, i) => this.#round + i);
    const included = new Map(rounds.map((round) => [round, view.included(round)]));
    if (this.#isBroken || ![...included.values()].every((set) => this.#holds(set))) return undefined;
    for (const [round, set] of this.#applied) if (!included.has(round)) this.#put(round, [], set);
    for (const [round, set] of included) this.#put(round, set, this.#applied.get(round) ?? []);
    return rootOfBytes(bytesOf(this.#weights));
  }

  /** Moves the settled weights up to a round of this view. The root; undefined when a delta is missing. */
  settle(view: View, round: number): Digest | undefined {
    for (; this.#round < round; this.#round++) {
      const set = view.included(this.#round);
      this.#isBroken ||= !this.#holds(set);
      if (!this.#isBroken) {
        this.#fold(this.settled, set, 1);
        this.#put(this.#round, set, this.#applied.get(this.#round) ?? []);
      }
      this.#applied.delete(this.#round);
      this.#deltas.delete(this.#round);
    }
    return this.#isBroken ? undefined : rootOfBytes(bytesOf(this.settled));
  }

  /** Takes settled rounds out again, down to `round`; false, and nothing done, when a delta of theirs is missing. */
  unsettle(view: View, round: number): boolean {
    const rounds = Array.from({ length: this.#round - round }, (_, i) => round + i);
    if (!rounds.every((each) => this.#holds(view.included(each)))) return false;
    for (const each of rounds) this.#fold(this.settled, view.included(each), -1);
    this.adopt(this.settled, round);
    return true;
  }

  /** Goes on from settled weights that somebody vouches for. */
  adopt(settled: Int32Array, round: number): void {
    this.settled.set(settled);
    this.#weights.set(settled);
    this.#applied.clear();
    this.#round = round;
    this.#isBroken = false;
  }

  #holds(set: Included): boolean {
    return set.every(({ id, header }) => header.delta === null || this.#deltas.get(header.round)?.has(id));
  }

  /** Makes `set` what `#weights` has of a round, where it had `before`. */
  #put(round: number, set: Included, before: Included): void {
    if (sameSet(set, before)) return;
    this.#fold(this.#weights, before, -1);
    this.#fold(this.#weights, set, 1);
    if (set.length === 0) this.#applied.delete(round);
    else this.#applied.set(round, set);
  }

  #fold(weights: Int32Array, set: Included, direction: 1 | -1): void {
    const terms = foldTerms(set, this.#outerRate).map(({ id, factor }) => {
      const round = set.find((each) => each.id === id)?.header.round as number;
      return { reader: this.#deltas.get(round)?.get(id) as DeltaReader, factor };
    });
    foldRound(weights, terms, direction);
  }
}

export function sameSet(a: Included, b: Included): boolean {
  return a.length === b.length && a.every((c, i) => c === b[i]);
}

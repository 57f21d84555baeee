/**
 * Folds a history again: the settled weights, and on top of them what any view of the unsettled rounds adds. Addition is
 * modulo 2^32, so from one view to the next only the rounds that differ are taken out and put in.
 */
import type { DeltaReader } from "../../codec/index.ts";
import { type Contribution, type FoldTerm, type View, foldRound } from "../../consensus/index.ts";
import { type ContributionId, type Digest, bytesOf, rootOfBytes } from "../../core/index.ts";

type Terms = readonly FoldTerm[];

export class Replay {
  /** (P,) fixed point: start weights minus A(S(r)) for all r < round. */
  readonly settled: Int32Array;
  /** (P,): the same for all rounds below that of the view that was asked for last. */
  readonly #weights: Int32Array;
  /** What is in `#weights` on top of `settled`, by round. */
  readonly #applied = new Map<number, Terms>();
  readonly #deltas = new Map<number, Map<ContributionId, DeltaReader>>();
  #round = 0;
  #isBroken = false;

  /** `start`: undefined when it is not known; then nothing can be recomputed until weights are adopted. */
  constructor(start: Int32Array | undefined, parametersCount: number) {
    this.settled = new Int32Array(parametersCount);
    this.#weights = new Int32Array(parametersCount);
    if (start === undefined) this.#isBroken = true;
    else this.adopt(start, 0);
  }

  /** Rounds below this one are settled. */
  get round(): number {
    return this.#round;
  }

  /** A delta was missing, or the start: nothing can be recomputed until weights are adopted. */
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
    const included = new Map(rounds.map((round) => [round, view.terms(round)]));
    if (this.#isBroken || ![...included].every(([round, terms]) => this.#holds(round, terms)))
      return undefined;
    for (const [round, terms] of this.#applied) if (!included.has(round)) this.#put(round, [], terms);
    for (const [round, terms] of included) this.#put(round, terms, this.#applied.get(round) ?? []);
    return rootOfBytes(bytesOf(this.#weights));
  }

  /** Moves the settled weights up to a round of this view. The root; undefined when a delta is missing. */
  settle(view: View, round: number): Digest | undefined {
    for (; this.#round < round; this.#round++) {
      const terms = view.terms(this.#round);
      this.#isBroken ||= !this.#holds(this.#round, terms);
      if (!this.#isBroken) {
        this.#fold(this.settled, this.#round, terms, 1);
        this.#put(this.#round, terms, this.#applied.get(this.#round) ?? []);
      }
      this.#applied.delete(this.#round);
      this.#deltas.delete(this.#round);
    }
    return this.#isBroken ? undefined : rootOfBytes(bytesOf(this.settled));
  }

  /** Takes settled rounds out again, down to `round`; false, and nothing done, when a delta of theirs is missing. */
  unsettle(view: View, round: number): boolean {
    const rounds = Array.from({ length: this.#round - round }, (_, i) => round + i);
    if (!rounds.every((each) => this.#holds(each, view.terms(each)))) return false;
    for (const each of rounds) this.#fold(this.settled, each, view.terms(each), -1);
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

  #holds(round: number, terms: Terms): boolean {
    return terms.every(({ id }) => this.#deltas.get(round)?.has(id));
  }

  /** Makes `terms` what `#weights` has of a round, where it had `before`. */
  #put(round: number, terms: Terms, before: Terms): void {
    if (terms === before) return;
    this.#fold(this.#weights, round, before, -1);
    this.#fold(this.#weights, round, terms, 1);
    if (terms.length === 0) this.#applied.delete(round);
    else this.#applied.set(round, terms);
  }

  #fold(weights: Int32Array, round: number, terms: Terms, direction: 1 | -1): void {
    const deltas = this.#deltas.get(round);
    const readers = terms.map(({ id, factor }) => ({ reader: deltas?.get(id) as DeltaReader, factor }));
    foldRound(weights, readers, direction);
  }
}

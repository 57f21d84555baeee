/**
 * The weights as the rule has them: what is folded so far, and how much of it has settled. What later citations changed is
 * taken out again exactly, since addition is modulo 2^32.
 */
import { type CodecSchedule, type DeltaReader, codecAt, openDelta } from "../../codec/index.ts";
import { type FoldPlan, type FoldTerm, foldRound } from "../../consensus/index.ts";
import {
  type ContributionId,
  type Digest,
  StarlingError,
  type Verdict,
  accept,
  assert,
  bytesOf,
  rootOfBytes,
} from "../../core/index.ts";

/** The body of a delta, and where in the codec's schedule it was made: the settled tokens of its own history. */
export interface DeltaBody {
  readonly bytes: Uint8Array;
  readonly settledTokens: number;
}

export interface FoldedWeightsOptions {
  readonly codec: CodecSchedule;
  /** Elements of each tensor. */
  readonly lengths: readonly number[];
  /** The phase's start: (P,) in fixed point, a new array each time. */
  start(): Int32Array;
}

export class FoldedWeights {
  /** (P,) in fixed point: all that is folded. */
  readonly weights: Int32Array;
  /** (P,): what of it has settled. */
  readonly settled: Int32Array;
  readonly #options: FoldedWeightsOptions;
  #settledRound = 0;
  /** Of `weights` and of `settled` as they are; undefined since they changed. */
  #root: Digest | undefined;
  #settledRoot: Digest | undefined;
  /**
   * Settled states to fold onto instead of the phase's start: the one that we began with, which another history may share that
   * forks before the newest, and the newest. weights: (P,)
   */
  #bases: readonly { readonly round: number; readonly weights: Int32Array }[] = [];
  /** What is folded into `weights` on top of `settled`. */
  readonly #applied = new Map<number, readonly FoldTerm[]>();
  readonly #deltas = new Map<ContributionId, DeltaReader>();

  constructor(options: FoldedWeightsOptions) {
    this.#options = options;
    this.weights = options.start();
    this.settled = this.weights.slice();
  }

  /** Checks a pulled delta and keeps it until its round has settled. The value is its norm. */
  hold(id: ContributionId, { bytes, settledTokens }: DeltaBody): Verdict<number> {
    const opened = openDelta(bytes, this.#options.lengths, codecAt(this.#options.codec, settledTokens));
    if (opened.kind !== "accept") return opened;
    this.#deltas.set(id, opened.value);
    return accept(opened.value.norm);
  }

  deltaOf(id: ContributionId): DeltaReader | undefined {
    return this.#deltas.get(id);
  }

  /** Of `weights`; remembered until they change. */
  root(): Digest {
    return (this.#root ??= rootOfBytes(bytesOf(this.weights)));
  }

  /** Of `settled`, likewise. */
  settledRoot(): Digest {
    return (this.#settledRoot ??= rootOfBytes(bytesOf(this.settled)));
  }

  /** Makes `weights` the state that the plan describes, and moves `settled` up to the plan's settled round. */
  fold(plan: FoldPlan): void {
    if (plan.from < this.#settledRound) this.#startAgain(plan.from);
    assert(plan.from === this.#settledRound, "a plan begins where the weights are settled");
    const planned = new Map(plan.rounds.map(({ round, terms }) => [round, terms]));
    for (const [round, terms] of this.#applied) {
      if (sameTerms(terms, planned.get(round))) continue;
      this.#root = undefined;
      this.#apply(this.weights, terms, -1);
      this.#applied.delete(round);
    }
    for (const [round, terms] of planned) {
      if (round < this.#settledRound || this.#applied.has(round)) continue;
      this.#root = undefined;
      this.#apply(this.weights, terms, 1);
      this.#applied.set(round, terms);
    }
    for (; this.#settledRound < plan.settledRound; this.#settledRound++) {
      const terms = this.#applied.get(this.#settledRound) ?? [];
      this.#settledRoot = undefined;
      this.#apply(this.settled, terms, 1);
      this.#applied.delete(this.#settledRound);
      for (const { id } of terms) this.#deltas.delete(id);
    }
  }

  /** Goes on from a settled state: rounds below `round` are folded into its weights, (P,). */
  startFrom(round: number, weights: Int32Array): void {
    this.#bases = [...this.#bases.slice(0, 1).filter((first) => first.round < round), { round, weights }];
    this.#startAgain(round);
  }

  /** Another history is followed now: what had settled from round `from` on is void. */
  #startAgain(from: number): void {
    // It forked before the others.
    this.#bases = this.#bases.filter(({ round }) => round <= from);
    const base = this.#bases.at(-1);
    this.#root = undefined;
    this.#settledRoot = undefined;
    this.weights.set(base?.weights ?? this.#options.start());
    this.settled.set(this.weights);
    this.#settledRound = base?.round ?? 0;
    this.#applied.clear();
  }

  #apply(weights: Int32Array, terms: readonly FoldTerm[], direction: 1 | -1): void {
    const readers = terms.map(({ id, factor }) => {
      const reader = this.#deltas.get(id);
      if (reader === undefined)
        throw new StarlingError("DELTA_MISSING", `expected the delta of ${id} at hand`);
      return { reader, factor };
    });
    foldRound(weights, readers, direction);
  }
}

function sameTerms(a: readonly FoldTerm[], b: readonly FoldTerm[] | undefined): boolean {
  return a.length === b?.length && a.every(({ id, factor }, i) => id === b[i]?.id && factor === b[i]?.factor);
}

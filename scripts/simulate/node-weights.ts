/** The weights that one node has folded: those that it began with, and those of its last settled round. */
import type { DeltaReader } from "../../src/codec/index.ts";
import type { FoldPlan, FoldTerm } from "../../src/consensus/index.ts";
import type { ContributionId, Digest } from "../../src/core/index.ts";
import type { Folded } from "./fold-tree.ts";

export class NodeWeights {
  #first: Folded;
  #firstRound = 0;
  #settled: Folded;
  #newest: Folded;
  /** Terms whose bodies are known to be here. */
  readonly #foldable = new WeakSet<readonly FoldTerm[]>();

  constructor(start: Folded) {
    this.#first = start;
    this.#settled = start;
    this.#newest = start;
  }

  /** Of the last settled round. */
  get settled(): Folded {
    return this.#settled;
  }

  /** What was folded last. */
  get newest(): Folded {
    return this.#newest;
  }

  /** A life begins with the settled state of this round. */
  begin(first: Folded, round: number): void {
    this.#first = first;
    this.#firstRound = round;
    this.#settled = first;
    this.#newest = first;
  }

  /** `readerOf` asserts that a body is here: another node may have folded it before, so that nobody would ask for ours. */
  fold(plan: FoldPlan, readerOf: (id: ContributionId) => DeltaReader): { readonly settledWeights: Digest } {
    if (plan.from === this.#firstRound) this.#settled = this.#first;
    let weights = this.#settled;
    for (const { round, terms } of plan.rounds) {
      if (round === plan.settledRound) this.#settled = weights;
      if (!this.#foldable.has(terms)) for (const { id } of terms) readerOf(id);
      this.#foldable.add(terms);
      weights = weights.after(terms, readerOf);
    }
    if (plan.settledRound === plan.round) this.#settled = weights;
    this.#newest = weights;
    return { settledWeights: this.#settled.root };
  }
}

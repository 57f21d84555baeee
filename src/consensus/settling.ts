/** The settled states that were folded, as far back as somebody may still build on them. */
import type { Digest } from "../core/index.ts";
import { type Base, baseRoundMin } from "./base.ts";
import type { SettledState } from "./events.ts";
import type { PhaseOptions } from "./fit.ts";
import { settledRoot } from "./settlement.ts";
import type { View } from "./view.ts";

export class Settling {
  readonly #options: PhaseOptions;
  readonly #states = new Map<number, SettledState>();
  #round = 0;
  #foothold: SettledState | undefined;

  constructor(options: PhaseOptions) {
    this.#options = options;
    this.restart();
  }

  /** Rounds below this one are folded for good, unless another history wins. */
  get round(): number {
    return this.#round;
  }

  /** The newest; undefined before anything was folded. */
  get newest(): SettledState | undefined {
    return this.#states.get(this.#round);
  }

  at(round: number): SettledState | undefined {
    return this.#states.get(round);
  }

  /** Rounds below the state's are folded already, by whoever had its weights. */
  stepOnto(foothold: SettledState): void {
    this.#foothold = foothold;
    this.#startAt(foothold);
  }

  /** What was folded in another history, which forked at `fork`, is void: back to where we began. */
  restart(fork: number = 0): void {
    if (this.#foothold !== undefined && this.#foothold.round > fork) this.#foothold = undefined;
    this.#startAt(this.#foothold ?? this.#options.base);
  }

  #startAt(state: SettledState | undefined): void {
    this.#states.clear();
    this.#round = state?.round ?? 0;
    if (state !== undefined) this.#states.set(state.round, state);
  }

  /** Rounds below `round` are settled in this view and folded to these weights. Whether that is news. */
  settle(view: View, round: number, weightsRoot: Digest): { state: SettledState; isNews: boolean } {
    const { run, phase, startSettled, rule } = this.#options;
    const accounts = view.accountsAt(round);
    const root = round === 0 ? startSettled : settledRoot({ run, phase, round, weightsRoot, accounts });
    const isNews = round > this.#round || this.#states.size === 0;
    const state = { round, root, weightsRoot, accounts };
    this.#round = round;
    this.#states.set(round, state);
    this.#states.delete(round - 2 * rule.settleDepth);
    return { state, isNews };
  }

  /** The newest as another machine can start from it; undefined while too little has settled. */
  baseIn(view: View): Base | undefined {
    const { newest } = this;
    const { rule } = this.#options;
    if (newest === undefined || newest.round < baseRoundMin(rule)) return undefined;
    const roots: Digest[] = [];
    for (let at = view.lineage.at(newest.round - 1); at !== undefined; at = at.before)
      if (roots.push(at.root) === rule.settleDepth) return { ...newest, roots: roots.reverse() };
    return undefined;
  }
}

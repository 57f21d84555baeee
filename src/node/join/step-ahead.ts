/**
 * Stepping onto a settled state of later rounds that a peer holds, in place of folding the rounds up to it. Bodies of
 * settled rounds are let go in the end, and whoever still needs one that nobody has takes such a state. So does who waited
 * in vain for a round's voters, if enough of the flock has settled that round long ago: more than half of its weight may have died
 * then, and the next rounds would take as long.
 */
import { type Contribution, type Machine, type SettledState, settledStates } from "../../consensus/index.ts";
import type { Clock } from "../../core/index.ts";
import type { Footholds } from "./footholds.ts";
import type { Ahead } from "./states-ahead.ts";

/** Between two looks. Guess: it is a question to every peer. */
const PAUSE_MS = 10_000;

export interface StepAheadDeps {
  readonly machine: Machine;
  readonly footholds: Footholds;
  readonly clock: Clock;
  /** The learner has its weights now. */
  readonly take: (state: SettledState) => void;
}

export class StepAhead {
  readonly #deps: StepAheadDeps;
  #looking: Promise<void> | undefined;
  #nextMs = -Infinity;

  constructor(deps: StepAheadDeps) {
    this.#deps = deps;
  }

  /** Resolves when no state is looked for: till then the learner's weights may change. */
  async done(): Promise<void> {
    await this.#looking;
  }

  /** A body that nobody has so far. Answers with the look that it leads to, if it does. */
  note({ header }: Contribution): Promise<void> | undefined {
    const { stage } = this.#deps.machine;
    return stage === "waiting" || stage === "collecting" ? this.#seek(header.round, "some") : undefined;
  }

  /** A round that patience has ended, told before anything of the next one is folded; answers likewise. */
  overdue(round: number): Promise<void> | undefined {
    return this.#seek(round, "third");
  }

  #seek(aboveRound: number, share: Ahead["share"]): Promise<void> | undefined {
    const { machine, clock } = this.#deps;
    const nowMs = clock.nowMs();
    if (this.#looking !== undefined || nowMs < this.#nextMs) return undefined;
    // Last: it goes through history.
    const [newest] = settledStates(machine.graph);
    if (newest === undefined || aboveRound >= newest.round) return undefined;
    this.#nextMs = nowMs + PAUSE_MS;
    this.#looking = this.#look(aboveRound, share);
    return this.#looking;
  }

  async #look(aboveRound: number, share: Ahead["share"]): Promise<void> {
    const { machine, footholds, take } = this.#deps;
    const { graph, isRanking } = machine;
    const sinceRound = machine.settled?.round ?? 0;
    const o = { aboveRound: Math.max(aboveRound, sinceRound), sinceRound, share, isRanking };
    const state = await footholds.ahead(graph, o);
    this.#looking = undefined;
    if (state !== undefined) take(state);
  }
}

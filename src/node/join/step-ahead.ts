/**
 * Bodies of settled rounds are let go in the end. Whoever still needs one that nobody has takes a settled state of later
 * rounds in its place, if a peer holds one.
 */
import { type Contribution, type Machine, type SettledState, settledStates } from "../../consensus/index.ts";
import type { Clock } from "../../core/index.ts";
import type { Footholds } from "./footholds.ts";

/** Between two looks. Guess: it is a question to every peer. */
const PAUSE_MS = 10_000;

export interface StepAheadDeps {
  readonly machine: Machine;
  /** Absent: the machine has a base, or the run's states are none to go on from. */
  readonly footholds: Footholds | undefined;
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
    const { machine, footholds, clock } = this.#deps;
    const { stage, settled, graph } = machine;
    const isStuck = stage === "waiting" || stage === "collecting";
    const nowMs = clock.nowMs();
    if (footholds === undefined || this.#looking !== undefined || !isStuck) return undefined;
    if (nowMs < this.#nextMs) return undefined;
    // Last: it goes through history.
    const [newest] = settledStates(graph);
    if (newest === undefined || header.round >= newest.round) return undefined;
    this.#nextMs = nowMs + PAUSE_MS;
    this.#looking = this.#look(footholds, Math.max(header.round, settled?.round ?? 0));
    return this.#looking;
  }

  async #look(footholds: Footholds, aboveRound: number): Promise<void> {
    const { machine, take } = this.#deps;
    const state = await footholds.ahead(machine.graph, aboveRound, machine);
    this.#looking = undefined;
    if (state !== undefined) take(state);
  }
}

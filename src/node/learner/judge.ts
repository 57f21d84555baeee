/** The gates in the learner's thread: candidates of the round that was trained last, against what was learned in it. */
import type { DeltaReader } from "../../codec/index.ts";
import { type Clock, type ContributionId, type Verdict, assert } from "../../core/index.ts";
import { type Candidate, Gates, type GateSettings, type OwnRound } from "../../trainer/index.ts";

/** What of a contribution the gates go by; its delta is held. */
export type Judged = Omit<Candidate, "delta"> & { readonly id: ContributionId };

export interface Judgement {
  /** Of all that came of the round so far, which may be other than the last time; null: there is nothing to judge by. */
  readonly verdicts: ReadonlyMap<ContributionId, Verdict<null>> | null;
  readonly judgingMs: number;
}

export class Judge {
  readonly #gates: Gates;
  readonly #clock: Clock;
  #round: number | undefined;

  constructor(settings: GateSettings, clock: Clock, secret: string) {
    this.#gates = new Gates(settings, secret);
    this.#clock = clock;
  }

  /** The weights that a round started from and those that it ended with are at hand from here on. */
  trained(round: number): void {
    this.#round = round;
  }

  /** They are not any more; and this is what history holds now. */
  folded(included: Iterable<ContributionId>): void {
    this.#round = undefined;
    this.#gates.include(included);
  }

  judge(
    round: number,
    candidates: readonly Judged[],
    own: OwnRound & { deltaOf(id: ContributionId): DeltaReader | undefined },
  ): Judgement {
    if (round !== this.#round) return { verdicts: null, judgingMs: 0 };
    const startedMs = this.#clock.nowMs();
    const held = candidates.map((candidate) => {
      const delta = own.deltaOf(candidate.id);
      assert(delta !== undefined, `the delta of ${candidate.id} is held until its round has settled`);
      return { ...candidate, delta };
    });
    const verdicts = this.#gates.judge(round, held, own) as Map<ContributionId, Verdict<null>>;
    return { verdicts, judgingMs: this.#clock.nowMs() - startedMs };
  }
}

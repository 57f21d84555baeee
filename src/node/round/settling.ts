/** What settled rounds do to the disk: a checkpoint every few of them; and bodies that nobody needs any more go. */
import type { BirpcReturn } from "birpc";
import {
  type Machine,
  type MachineOptions,
  type SettledState,
  recordOfAccounts,
} from "../../consensus/index.ts";
import type { Cid, RunId } from "../../core/index.ts";
import type { CheckpointMeta } from "../../storage/index.ts";
import { bodiesToDrop } from "../disk/retention.ts";
import type { LearnerOwner, LearnerThread } from "../learner/protocol.ts";

/** Settled checkpoints are written this often. Guess. */
const CHECKPOINT_ROUNDS = 8;

export interface SettlingDeps {
  readonly run: RunId;
  readonly options: MachineOptions;
  readonly machine: Machine;
  readonly learner: BirpcReturn<LearnerThread, LearnerOwner>;
  /** Bodies that nobody needs any more. */
  readonly retire: (bodies: readonly Cid[]) => Promise<void> | undefined;
  /** Called after each checkpoint that was saved. */
  readonly checkpointed: () => Promise<void>;
}

export class Settling {
  readonly #deps: SettlingDeps;
  #retiredUntil = 0;

  constructor(deps: SettlingDeps) {
    this.#deps = deps;
  }

  /** Rounds below have no bodies of theirs any more. */
  get retiredUntil(): number {
    return this.#retiredUntil;
  }

  async settle(state: SettledState): Promise<void> {
    if (state.round % CHECKPOINT_ROUNDS !== 0) return;
    await this.#checkpoint(state);
    await this.#retire(state.round);
  }

  /** What the phase has ended with is always kept, and another phase may grow from it. */
  async end(state: SettledState, { isNews }: { isNews: boolean }): Promise<void> {
    const { machine, options, learner } = this.#deps;
    const { base } = machine;
    if (options.limits.isRung === true)
      await learner.mark(this.#metaOf(state), base?.round === state.round ? base : undefined);
    // Gone through once more after a restart: checkpoints of later phases must not give way to it.
    if (isNews) await this.#checkpoint(state);
  }

  async #checkpoint(state: SettledState): Promise<void> {
    const { machine, learner, checkpointed } = this.#deps;
    const { base, isClosing } = machine;
    // What a phase ends with is no state to join at: its rounds end there.
    const isBase = base?.round === state.round && !isClosing;
    await learner.checkpoint(this.#metaOf(state), isBase ? base : undefined);
    await checkpointed();
  }

  async #retire(settledRound: number): Promise<void> {
    const { machine, retire } = this.#deps;
    const { until, bodies } = bodiesToDrop(machine.graph, { from: this.#retiredUntil, settledRound });
    this.#retiredUntil = until;
    await retire(bodies);
  }

  #metaOf({ round, root, weightsRoot, accounts }: SettledState): CheckpointMeta {
    const { run, options } = this.#deps;
    return { run, phase: options.phase, round, root, weightsRoot, accounts: recordOfAccounts(accounts) };
  }
}

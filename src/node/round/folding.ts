/** The first step of a round: the learner's weights become the state that the machine's plan describes, and their loss is told. */
import type { FoldPlan, Machine } from "../../consensus/index.ts";
import type { Digest } from "../../core/index.ts";
import type { Gate } from "../idle/gate.ts";
import type { LearnerThread } from "../learner/protocol.ts";
import type { Progress } from "./progress.ts";

/** Held-out batches behind each point of the curve, and behind the first and last loss. Guess: noise against time. */
const CURVE_BATCHES = 4;
export const FINAL_BATCHES = 32;

export interface FoldingDeps {
  readonly machine: Pick<Machine, "stage" | "view">;
  readonly learner: Pick<LearnerThread, "fold" | "evaluate">;
  readonly gate: Pick<Gate, "opened">;
  readonly progress: Progress;
  /** Resolves when nothing but a fold changes the learner's weights. */
  readonly weightsStand: () => Promise<void>;
  readonly signal: AbortSignal;
}

export class Folding {
  readonly #deps: FoldingDeps;
  #plan: FoldPlan | undefined;

  constructor(deps: FoldingDeps) {
    this.#deps = deps;
  }

  /** Undefined: the plan was void by the time that it could be carried out. */
  async fold(plan: FoldPlan): Promise<{ settledWeights: Digest } | undefined> {
    const { machine, learner, gate, progress, weightsStand, signal } = this.#deps;
    this.#plan = plan;
    await gate.opened(signal);
    await weightsStand();
    // The machine stepped onto a later state meanwhile, and plans anew or has nothing to fold yet.
    if (this.#plan !== plan || machine.stage !== "folding") return undefined;
    progress.validationLossFirstNats ??= await learner.evaluate("start", FINAL_BATCHES);
    const folded = await learner.fold(plan);
    const validationLossNats = await learner.evaluate("current", CURVE_BATCHES);
    progress.addPoint({ round: plan.round, tokens: machine.view.includedTokens(), validationLossNats });
    return folded;
  }
}

/** What a preset is, and the settings that most of them share. */
import type { CreditRule } from "../../consensus/index.ts";
import type { ModelConfig } from "../../trainer/index.ts";
import type { Phase } from "../run/manifest.ts";

/** A phase without its budget: that is a number of rounds for a number of peers. */
export interface Rung {
  readonly rounds: number;
  readonly phase: Omit<Phase, "tokensBudget">;
}

export interface Preset {
  readonly rungs: readonly [Rung, ...Rung[]];
  /** Further rungs on paper: nothing that this version could hold, so they are in no manifest. */
  readonly plan?: readonly Rung[];
}

export const DENSE = 4096;

/** One vocabulary of bytes, with one matrix for embedding and head. */
export const BYTES: Pick<ModelConfig, "vocabSize" | "ropeTheta" | "normEpsilon" | "tiedHead"> = {
  vocabSize: 256,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tiedHead: true,
};

export const optimizer: Phase["optimizer"] = {
  lrMax: 2e-3,
  lrMinShare: 0.1,
  warmupShare: 0.02,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.1,
  gradientNormMax: 1,
};

export const rule: Phase["rule"] = {
  settleDepth: 8,
  membersMax: 64,
  startPeers: 1,
  outerRate: 2 ** 20,
  graceShare: 0.05,
  patienceShare: 3,
  weightWindow: 64,
};

/** One credit per counted token: Guess. A later, larger phase would mint more for a token that costs more. */
export const credits: CreditRule = { perToken: 1 };

/** What a preset is, and the settings that most of them share. */
import type { CodecSettings } from "../../codec/index.ts";
import type { CreditRule } from "../../consensus/index.ts";
import type { ModelConfig } from "../../trainer/index.ts";
import type { Phase } from "../run/manifest.ts";

/** A phase without its budget: that is a number of rounds for a number of peers. */
export interface Rung {
  readonly rounds: number;
  readonly phase: Omit<Phase, "tokensBudget">;
  /** What deltas are like in the last share of the budget: what a residual holds when a phase ends is lost. */
  readonly last?: CodecSettings & { readonly share: number };
}

export interface Preset {
  readonly rungs: readonly [Rung, ...Rung[]];
  /** Further rungs on paper: nothing that this version could hold, so they are in no manifest. */
  readonly plan?: readonly Rung[];
}

/** All of a chunk (src/codec/settings.ts). */
export const DENSE = 4096;

/** One vocabulary of bytes, with one matrix for embedding and head. Base and epsilon From: Llama 2 (Touvron et al. 2023), section 2.2 and its code. */
export const BYTES: Pick<ModelConfig, "vocabSize" | "ropeTheta" | "normEpsilon" | "tiedHead"> = {
  vocabSize: 256,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tiedHead: true,
};

export const optimizer: Phase["optimizer"] = {
  lrMax: 2e-3, // Measured: docs/log.md, "Prototype: learning with few exchanges"; other models say their own
  lrMinShare: 0.1, // From: GPT-3 (Brown et al. 2020), appendix B
  warmupShare: 0.02, // Guess, near the usual 1 to 3 %
  beta1: 0.9, // From: GPT-3, appendix B
  beta2: 0.95, // From: GPT-3, appendix B
  epsilon: 1e-8, // From: Kingma and Ba 2015, algorithm 1
  weightDecay: 0.1, // From: GPT-3, appendix B
  gradientNormMax: 1, // From: GPT-3, appendix B
};

export const rule: Phase["rule"] = {
  settleDepth: 8, // Measured: bench/RESULTS.md, "Agreement by depth", among known parties
  membersMax: 64, // Measured: bench/RESULTS.md, "A flock by its size"
  startPeers: 1, // One founder starts alone: docs/log.md, "One founder and everybody else in round 0"
  outerRate: 2 ** 20, // Measured: bench/RESULTS.md, "Rules of exchange": plain averaging against DiLoCo's outer steps
  graceShare: 0.05, // What a round may cost: docs/design.md, section 5
  patienceShare: 3, // Guess
  weightWindow: 64, // Guess: long enough that a missed round costs little, short enough that who left is forgotten
};

/** One credit per counted token: Guess. A later, larger phase would mint more for a token that costs more. */
export const credits: CreditRule = { perToken: 1 };

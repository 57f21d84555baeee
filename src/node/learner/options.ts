/** What a learner is made of, and what must be known of its arrays before it is: the same without an engine. */
import type { CodecSchedule } from "../../codec/index.ts";
import { type Digest, bytesOf, rootOfBytes } from "../../core/index.ts";
import {
  type BatchConfig,
  type EngineName,
  type GateSettings,
  type GradientMemory,
  type ModelConfig,
  type Optimizer,
  decodeWeights,
  initialWeights,
} from "../../trainer/index.ts";
import type { RunData } from "../data/run-data.ts";
import type { Cheat } from "./cheat.ts";
import { zeroStateRoot } from "./state-root.ts";

export interface LearnerOptions {
  readonly model: ModelConfig;
  readonly optimizer: Optimizer;
  readonly batch: BatchConfig;
  readonly codec: CodecSchedule;
  readonly residualBeta: number;
  /** Absent: 0. */
  readonly residualInStart?: number;
  readonly gates?: GateSettings;
  readonly cheat?: Cheat;
  readonly tokensBudget: number;
  readonly roundMsMax: number;
  readonly seed: string;
  readonly data: Pick<RunData, "train" | "heldOut" | "vocabulary" | "tokenizerFile">;
  /** Weights to start from instead of the seed's: P int32. */
  readonly start: Uint8Array | null;
  readonly engine: EngineName;
  /** A trainer for each, by its index; undefined: the one that the engine has. Default: that one. */
  readonly devices?: readonly (number | undefined)[];
  readonly mixedPrecision?: boolean;
  /** Of all trainers together. */
  readonly threads: number;
  /** How a step saves memory. */
  readonly memory?: GradientMemory;
}

/** What the rule must know of the arrays before the first round. */
export interface LearnerFacts {
  readonly startRoot: Digest;
  readonly zeroState: Digest;
}

/** (P,) in fixed point: the manifest's, or drawn from its seed. */
export function startWeights({
  model,
  seed,
  start,
}: Pick<LearnerOptions, "model" | "seed" | "start">): Int32Array {
  return start === null ? initialWeights(model, seed) : decodeWeights(model, start);
}

/** Those of a learner that was just opened, without its engine and its memory. */
export function factsOf(options: Pick<LearnerOptions, "model" | "seed" | "start">): LearnerFacts {
  const weights = startWeights(options);
  return { startRoot: rootOfBytes(bytesOf(weights)), zeroState: zeroStateRoot(weights.length) };
}

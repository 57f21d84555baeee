/** AdamW's settings and the learning-rate schedule, part of the constitution of a run. */
import { z } from "zod";

export interface Optimizer {
  readonly lrMax: number;
  readonly lrMinShare: number;
  readonly warmupShare: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly gradientNormMax: number;
}

const share = z.number().min(0).max(1);
const decayRate = z.number().min(0).lt(1);

export const optimizerSchema: z.ZodType<Optimizer> = z.strictObject({
  /** Measured: 2e-3 trains a byte model of about 1M parameters; larger models want less. */
  lrMax: z.number().gt(0).max(1).default(2e-3),
  /** The floor of the cosine, and where warm-up starts. From: GPT-3 (Brown et al. 2020), appendix B. */
  lrMinShare: share.default(0.1),
  /** Share of the token budget. Guess, near the usual 1 to 3 %. */
  warmupShare: share.default(0.02),
  beta1: decayRate.default(0.9), // From: GPT-3, appendix B
  beta2: decayRate.default(0.95), // From: GPT-3, appendix B
  epsilon: z.number().gt(0).max(1e-2).default(1e-8), // From: Kingma and Ba 2015, algorithm 1
  /** Pulls on matrices only. From: GPT-3, appendix B. */
  weightDecay: share.default(0.1),
  gradientNormMax: z.number().gt(0).default(1), // From: GPT-3, appendix B
});

/**
 * The learning rate after `tokensDone` of a phase's `tokensBudget`: linear warm-up, then half a cosine down to the
 * floor (Loshchilov and Hutter 2017, "SGDR", without restarts). Never 0, so that the first step teaches too.
 */
export function learningRate(o: Optimizer, tokensDone: number, tokensBudget: number): number {
  const progress = Math.min(1, Math.max(0, tokensDone / tokensBudget));
  const height = o.lrMinShare < 1 ? heightAt(progress, o.warmupShare) : 1;
  return o.lrMax * (o.lrMinShare + (1 - o.lrMinShare) * height);
}

function heightAt(progress: number, warmupShare: number): number {
  if (progress < warmupShare) return progress / warmupShare;
  if (warmupShare === 1) return 1;
  return 0.5 * (1 + Math.cos((Math.PI * (progress - warmupShare)) / (1 - warmupShare)));
}

/** The three models of bench:train. Sizes are the (T11); batches fit a laptop. */
import type { ModelConfig } from "../../src/trainer/index.ts";

export interface TrainingCase {
  readonly name: string;
  readonly model: ModelConfig;
  /** B: sequences per step. */
  readonly sequences: number;
  /** Steps of one turn, so that a turn takes about two seconds. */
  readonly stepsPerTurn: number;
}

const COMMON = { ropeTheta: 10_000, normEpsilon: 1e-5, tiedHead: true } as const;

export const trainingCases: readonly TrainingCase[] = [
  {
    name: "3M",
    model: { ...COMMON, ...width(256), vocabSize: 256, contextLength: 128, layersCount: 4 },
    sequences: 8,
    stepsPerTurn: 12,
  },
  {
    name: "25M",
    model: { ...COMMON, ...width(512), vocabSize: 256, contextLength: 256, layersCount: 8 },
    sequences: 8,
    stepsPerTurn: 2,
  },
  {
    name: "110M",
    model: { ...COMMON, ...width(768), vocabSize: 32_000, contextLength: 256, layersCount: 12 },
    sequences: 4,
    stepsPerTurn: 1,
  },
];

/** Heads of 64 features, and a feed-forward of about 8 / 3 of the width (Shazeer 2020). */
function width(
  hiddenSize: number,
): Pick<ModelConfig, "hiddenSize" | "headsCount" | "kvHeadsCount" | "intermediateSize"> {
  const heads = hiddenSize / 64;
  const intermediateSize = 64 * Math.ceil((8 * hiddenSize) / (3 * 64));
  return { hiddenSize, headsCount: heads, kvHeadsCount: heads, intermediateSize };
}

/**
 * Floating-point operations of one step: 6 per parameter and token (Kaplan et al. 2020, appendix B), and attention's
 * 12 T D per layer and token, without a discount for the causal half (Chowdhery et al. 2022, appendix B).
 */
export function stepFlops({ model, sequences }: TrainingCase, parameters: number): number {
  const { contextLength: T, hiddenSize: D, layersCount } = model;
  return sequences * T * (6 * parameters + 12 * layersCount * T * D);
}

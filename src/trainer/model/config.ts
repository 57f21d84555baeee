/**
 * The constitution of a Llama (Touvron et al. 2023, section 2.2): RMSNorm, rotary positions, SwiGLU, grouped-query
 * attention, optionally one matrix for embedding and head. Strangers must agree on it, so it is checked whole.
 */
import { z } from "zod";

export interface ModelConfig {
  readonly vocabSize: number; // V
  readonly contextLength: number; // T
  readonly hiddenSize: number; // D
  readonly layersCount: number;
  readonly headsCount: number; // H
  readonly kvHeadsCount: number; // heads of keys and values; H / kvHeadsCount queries share one
  readonly intermediateSize: number; // F
  readonly ropeTheta: number;
  readonly normEpsilon: number;
  /** Whether the embedding matrix is the output head as well. */
  readonly tiedHead: boolean;
}

/** Parameters of one phase: one flat int32 array must hold them. */
const PARAMETERS_MAX = 2 ** 31 - 1;

const count = (max: number): z.ZodNumber => z.number().int().min(1).max(max);

export const modelConfigSchema: z.ZodType<ModelConfig> = z
  .strictObject({
    vocabSize: count(2 ** 20).min(2),
    contextLength: count(2 ** 16).min(2),
    hiddenSize: count(2 ** 14),
    layersCount: count(256),
    headsCount: count(256),
    kvHeadsCount: count(256),
    intermediateSize: count(2 ** 16),
    ropeTheta: z.number().min(1).max(1e9).default(10_000), // From: Su et al. 2021, section 3.2.2
    normEpsilon: z.number().min(1e-12).max(1e-2).default(1e-5), // From: Llama 2 and 3
    tiedHead: z.boolean(),
  })
  .superRefine((c, context) => {
    const expect = (holds: boolean, path: keyof ModelConfig, message: string): void => {
      if (!holds) context.addIssue({ code: "custom", path: [path], message });
    };
    expect(
      c.hiddenSize % c.headsCount === 0,
      "headsCount",
      `expected headsCount to divide hiddenSize ${c.hiddenSize}, got ${c.headsCount}`,
    );
    expect(
      c.headsCount % c.kvHeadsCount === 0,
      "kvHeadsCount",
      `expected kvHeadsCount to divide headsCount ${c.headsCount}, got ${c.kvHeadsCount}`,
    );
    expect(
      (c.hiddenSize / c.headsCount) % 2 === 0,
      "headsCount",
      `expected an even hiddenSize / headsCount, got ${c.hiddenSize} / ${c.headsCount}`,
    );
    const parameters = parametersCount(c);
    expect(
      parameters <= PARAMETERS_MAX,
      "hiddenSize",
      `expected at most ${PARAMETERS_MAX} parameters, got ${parameters}`,
    );
  });

/** Features of one attention head. */
export function headSize(c: ModelConfig): number {
  return c.hiddenSize / c.headsCount;
}

/** P, without listing tensors (a hostile config could name a great many). */
export function parametersCount(c: ModelConfig): number {
  const kvSize = c.kvHeadsCount * headSize(c);
  const attention = 2 * c.hiddenSize * c.hiddenSize + 2 * c.hiddenSize * kvSize;
  const layer = attention + 3 * c.hiddenSize * c.intermediateSize + 2 * c.hiddenSize;
  return (c.tiedHead ? 1 : 2) * c.vocabSize * c.hiddenSize + c.layersCount * layer + c.hiddenSize;
}

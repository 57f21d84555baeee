/**
 * Models by name, from 27 thousand to 1.3 billion parameters. Those above a million have the shape of a published model, so
 * that figures can be compared; counts are with the vocabulary that it was published with. Contexts are those that it was
 * trained with first.
 */
import type { ModelConfig } from "./config.ts";

const BYTES = { vocabSize: 256, ropeTheta: 10_000, normEpsilon: 1e-5, tiedHead: true } as const;

export type ModelPresetName =
  | "tiny"
  | "small"
  | "flight"
  | "stories-15m"
  | "stories-42m"
  | "stories-110m"
  | "smollm-135m"
  | "smollm-360m"
  | "tinyllama-1.1b"
  | "sheared-llama-1.3b";

export const modelPresets: Readonly<Record<ModelPresetName, ModelConfig>> = {
  /** 27k parameters: learns in seconds, for tests. */
  tiny: {
    ...BYTES,
    contextLength: 32,
    hiddenSize: 32,
    layersCount: 2,
    headsCount: 4,
    kvHeadsCount: 2,
    intermediateSize: 64,
  },
  /** 109k parameters: a tenth of `flight`, at about a tenth of its time. */
  small: {
    ...BYTES,
    contextLength: 64,
    hiddenSize: 64,
    layersCount: 2,
    headsCount: 4,
    kvHeadsCount: 2,
    intermediateSize: 176,
  },
  /**
   * 1.0M parameters: a laptop's first real run. Measured on Moby Dick, 22 s of one core each: 160 x 3 layers came
   * to 2.12 nats, 128 x 5 to 2.15, 128 x 4 to 2.17, 192 x 2 to 2.11 to 2.23; two layers varied most.
   */
  flight: {
    ...BYTES,
    contextLength: 128,
    hiddenSize: 160,
    layersCount: 3,
    headsCount: 5,
    kvHeadsCount: 5,
    intermediateSize: 448,
  },
  /** From: llama2.c (Karpathy 2023), stories15M. */
  "stories-15m": {
    ...stories(256),
    hiddenSize: 288,
    layersCount: 6,
    ...plainHeads(6),
    intermediateSize: 768,
  },
  /** From: llama2.c, stories42M. */
  "stories-42m": {
    ...stories(1024),
    hiddenSize: 512,
    layersCount: 8,
    ...plainHeads(8),
    intermediateSize: 1376,
  },
  /** From: llama2.c, stories110M. */
  "stories-110m": {
    ...stories(1024),
    hiddenSize: 768,
    layersCount: 12,
    ...plainHeads(12),
    intermediateSize: 2048,
  },
  /** From: SmolLM-135M (Hugging Face 2024), grouped queries. */
  "smollm-135m": {
    ...BYTES,
    vocabSize: 49_152,
    contextLength: 2048,
    hiddenSize: 576,
    layersCount: 30,
    headsCount: 9,
    kvHeadsCount: 3,
    intermediateSize: 1536,
  },
  /** From: SmolLM-360M. */
  "smollm-360m": {
    ...BYTES,
    vocabSize: 49_152,
    contextLength: 2048,
    hiddenSize: 960,
    layersCount: 32,
    headsCount: 15,
    kvHeadsCount: 5,
    intermediateSize: 2560,
  },
  /** From: TinyLlama (Zhang et al. 2024), table 1. */
  "tinyllama-1.1b": {
    ...BYTES,
    vocabSize: 32_000,
    tiedHead: false,
    contextLength: 2048,
    hiddenSize: 2048,
    layersCount: 22,
    headsCount: 32,
    kvHeadsCount: 4,
    intermediateSize: 5632,
  },
  /** From: Sheared-LLaMA-1.3B (Xia et al. 2023), table 1. */
  "sheared-llama-1.3b": {
    ...BYTES,
    vocabSize: 32_000,
    tiedHead: false,
    contextLength: 4096,
    hiddenSize: 2048,
    layersCount: 24,
    ...plainHeads(16),
    intermediateSize: 5504,
  },
};

function stories(contextLength: number): Pick<ModelConfig, "contextLength" | keyof typeof BYTES> {
  return { ...BYTES, vocabSize: 32_000, contextLength };
}

/** Attention without groups: each query head has keys and values of its own. */
function plainHeads(count: number): Pick<ModelConfig, "headsCount" | "kvHeadsCount"> {
  return { headsCount: count, kvHeadsCount: count };
}

export const modelPresetNames: readonly ModelPresetName[] = Object.keys(modelPresets) as ModelPresetName[];

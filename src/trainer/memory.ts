/**
 * What training needs of a host's memory, said before anything is allocated, and the two ways to need less: smaller
 * micro-batches, and layers that are computed again in the backward pass. Both are a host's own choice; what it learns
 * stays the same up to float32's rounding. The formula counts arrays; its constants were fitted to measured peaks.
 */
import { StarlingError } from "../core/index.ts";
import { type ModelConfig, parametersCount } from "./model/config.ts";
import { LOGITS_AT_A_TIME } from "./model/llama.ts";
import type { GradientMemory } from "./model/programs.ts";

/**
 * Rows (sequences times positions) of a micro-batch unless the host says otherwise. Measured at 25M parameters: with 512
 * rows a step took as long as with all 2,048 and half the memory; with 256 the sums of gradients begin to cost
 * (docs/log.md, 2026-11-22).
 */
const MICRO_ROWS_MIN = 512;

export interface TrainingNeeds {
  readonly model: ModelConfig;
  /** B: sequences of the run's batch. */
  readonly sequences: number;
  readonly memory?: GradientMemory;
}

/**
 * What the host chose, or else the micro-batch that is both small and fast.
 * @throws StarlingError `MICRO_BATCH_INVALID` when the batch does not divide into such micro-batches.
 */
export function gradientMemory({ model, sequences, memory = {} }: TrainingNeeds): Required<GradientMemory> {
  const divisors = divisorsOf(sequences);
  const fast = divisors.find((n) => n * model.contextLength >= MICRO_ROWS_MIN) ?? sequences;
  const { microSequences = fast, recomputesLayers = false } = memory;
  if (divisors.includes(microSequences)) return { microSequences, recomputesLayers };
  throw new StarlingError(
    "MICRO_BATCH_INVALID",
    `expected a micro-batch of ${divisors.join(", ")} sequences, which divide the run's batch of ${sequences}, got ${microSequences}`,
  );
}

/** The same on a GPU, where the whole batch at once is fastest. Throws `MICRO_BATCH_INVALID`. */
export function deviceMemory(needs: TrainingNeeds): Required<GradientMemory> {
  const { sequences, memory = {} } = needs;
  return gradientMemory({ ...needs, memory: { microSequences: sequences, ...memory } });
}

/** Weights, two moments and gradient, and what the runtime's arena holds beside. Measured: bench/RESULTS.md, memory. */
const BYTES_PER_PARAMETER = 16 + 5;
/** The runtime's graph and code. Measured: the same. */
const FIXED_BYTES = 105e6;
/** Arrays of the arena over arrays counted: what lies between them is lost. Measured: the same. */
const ARENA_SLACK = 1.2;
/** Of the size of the embedding: gradients from the head, from the rows looked up, their zeros and their sum. */
const EMBEDDING_COPIES = 4;

/** Peak bytes that the CPU engine adds to a process: weights, two moments, gradient, and what a micro-batch needs. */
export function trainingBytes(needs: TrainingNeeds): number {
  const memory = gradientMemory(needs);
  const counted = bytesAtOnce(needs.model, memory);
  return FIXED_BYTES + BYTES_PER_PARAMETER * parametersCount(needs.model) + ARENA_SLACK * counted;
}

/** Of the driver and the programs. Guess. */
const DEVICE_FIXED_BYTES = 300e6;
/**
 * Buffers are kept for the next step by sizes, not by what fits. Measured with SwiftShader, where a device's memory is the
 * process': 36 to 44 bytes a parameter instead of 28 (bench/RESULTS.md, memory of a GPU engine).
 */
const DEVICE_SLACK = 1.5;
/** Weights and moments before a step and after it, and the gradient, which has a second array where parts are summed. */
const DEVICE_BYTES_PER_PARAMETER = 28;
const DEVICE_SUM_BYTES_PER_PARAMETER = 4;

/**
 * Peak bytes of a GPU's memory: arrays counted as on the host, and the state twice, since a step there updates nothing in
 * place. No real GPU was measured. Mixed precision needs less than this.
 */
export function deviceTrainingBytes(needs: TrainingNeeds): number {
  const memory = deviceMemory(needs);
  const isSummed = memory.microSequences < needs.sequences;
  const each = DEVICE_BYTES_PER_PARAMETER + (isSummed ? DEVICE_SUM_BYTES_PER_PARAMETER : 0);
  const counted = bytesAtOnce(needs.model, memory);
  return DEVICE_FIXED_BYTES + DEVICE_SLACK * (each * parametersCount(needs.model) + counted);
}

/** What a micro-batch needs beside what the parameters do. */
function bytesAtOnce(c: ModelConfig, { microSequences, recomputesLayers }: Required<GradientMemory>): number {
  const rows = microSequences * c.contextLength;
  // Kept of a layer for the backward pass: norms, queries, keys, values, mixed; gate, up, silu, their product; attention.
  const layer = 9 * c.hiddenSize + 4 * c.intermediateSize + c.headsCount * c.contextLength;
  const kept = c.layersCount * (recomputesLayers ? c.hiddenSize : layer);
  const atWork = 2 * layer; // one layer's gradients, and its values where they are computed again
  const logits = 3 * Math.min(rows * c.vocabSize, LOGITS_AT_A_TIME);
  const embedding = EMBEDDING_COPIES * c.vocabSize * c.hiddenSize;
  return 4 * (rows * (kept + atWork) + logits + embedding);
}

/** Settings that need less than `needs`, the fastest first. */
export function thriftierMemory(needs: TrainingNeeds): Required<GradientMemory>[] {
  const now = gradientMemory(needs);
  const smaller = divisorsOf(needs.sequences).filter((n) => n < now.microSequences);
  return [
    ...smaller.toReversed().map((microSequences) => ({ ...now, microSequences })),
    ...(now.recomputesLayers ? [] : [{ ...now, recomputesLayers: true }]),
    ...(now.recomputesLayers || smaller.length === 0 ? [] : [{ microSequences: 1, recomputesLayers: true }]),
  ];
}

function divisorsOf(sequences: number): number[] {
  return Array.from({ length: sequences }, (_, i) => i + 1).filter((n) => sequences % n === 0);
}

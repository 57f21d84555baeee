/** How a phase fits into a memory, the host's or a GPU's, found before the system or the driver finds that it does not. */
import { StarlingError } from "../../core/index.ts";
import {
  type GradientMemory,
  type TrainingNeeds,
  deviceMemory,
  deviceTrainingBytes,
  gradientMemory,
  thriftierMemory,
} from "../../trainer/index.ts";
import { estimatePhase } from "./estimate.ts";
import type { Phase } from "./manifest.ts";

export interface MemoryFit {
  readonly memory: Required<GradientMemory>;
  /** At its peak: of the whole node, or of one GPU. */
  readonly neededBytes: number;
}

/** What a way to train is looked for in. */
interface Room {
  readonly availableBytes: number;
  /** The fastest way with what the user fixed. */
  readonly fastest: Required<GradientMemory>;
  readonly bytesWith: (memory: GradientMemory) => number;
  /** What is there, and what to do where no way fits, for people. */
  readonly kind: string;
  readonly lastAdvice: string;
}

/**
 * The fastest way to train a phase that fits; what the user fixed in `memory` stays so. `trainers`: on as many devices.
 * @throws StarlingError `MEMORY_TOO_SMALL`, saying what to lower; `MICRO_BATCH_INVALID`
 */
export function fitMemory(
  phase: Phase,
  o: { memory: GradientMemory; availableBytes: number; trainers?: number },
): MemoryFit {
  const needs = needsOf(phase, o.memory);
  const { trainers = 1 } = o;
  return fit(needs, {
    availableBytes: o.availableBytes,
    fastest: gradientMemory(needs),
    bytesWith: (memory) => estimatePhase(phase, { memory, trainers }).memoryBytes,
    kind: "free memory",
    lastAdvice:
      "free memory, take a larger machine, or start with --role serve, which holds and gives what others need",
  });
}

/** The same in the memory of each GPU, of which no more than `bytesMax` may be used. */
export function fitGpuMemory(phase: Phase, o: { memory: GradientMemory; bytesMax: number }): MemoryFit {
  const needs = needsOf(phase, o.memory);
  return fit(needs, {
    availableBytes: o.bytesMax,
    fastest: deviceMemory(needs),
    bytesWith: (memory) => deviceTrainingBytes({ ...needs, memory }),
    kind: "GPU memory",
    lastAdvice: "raise --gpu-memory-max, or train on the processor with --engine cpu",
  });
}

function needsOf({ model, batch }: Phase, memory: GradientMemory): TrainingNeeds {
  return { model, sequences: batch.sequences, memory };
}

function fit(needs: TrainingNeeds, room: Room): MemoryFit {
  const { fastest, availableBytes, bytesWith, kind, lastAdvice } = room;
  const ways = [fastest, ...thriftierMemory({ ...needs, memory: fastest })];
  const fixed = needs.memory?.microSequences;
  const allowed = ways.filter(({ microSequences }) => fixed === undefined || microSequences === fixed);
  const memory = allowed.find((way) => bytesWith(way) <= availableBytes);
  if (memory !== undefined) return { memory, neededBytes: bytesWith(memory) };
  const fitting = ways.find((way) => bytesWith(way) <= availableBytes);
  const thriftiest = ways.reduce((least, way) => (bytesWith(way) < bytesWith(least) ? way : least));
  const advice =
    fitting === undefined
      ? `with ${flagsOf(thriftiest)} it would still be ${gigabytes(bytesWith(thriftiest))}: ${lastAdvice}`
      : `start with ${flagsOf(fitting)} (${gigabytes(bytesWith(fitting))}), or without --micro-batch`;
  throw new StarlingError(
    "MEMORY_TOO_SMALL",
    `expected ${gigabytes(bytesWith(fastest))} of ${kind} to train this model with ${flagsOf(fastest)}, got ${gigabytes(availableBytes)}; ${advice}`,
  );
}

function flagsOf({ microSequences, recomputesLayers }: Required<GradientMemory>): string {
  return `--micro-batch ${microSequences}${recomputesLayers ? " --recompute" : ""}`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

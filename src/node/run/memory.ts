/** How a phase fits into the host's memory, found before the system's out-of-memory killer finds that it does not. */
import { StarlingError } from "../../core/index.ts";
import { type GradientMemory, gradientMemory, thriftierMemory } from "../../trainer/index.ts";
import { estimatePhase } from "./estimate.ts";
import type { Phase } from "./manifest.ts";

export interface MemoryFit {
  readonly memory: Required<GradientMemory>;
  /** Of the whole node, at its peak. */
  readonly neededBytes: number;
}

/**
 * The fastest way to train a phase that fits; what the user fixed in `memory` stays so.
 * @throws StarlingError `MEMORY_TOO_SMALL`, saying what to lower; `MICRO_BATCH_INVALID`
 */
export function fitMemory(
  phase: Phase,
  o: { memory: GradientMemory; availableBytes: number; trainers?: number },
): MemoryFit {
  const { model, batch } = phase;
  const needs = { model, sequences: batch.sequences, memory: o.memory };
  const bytesWith = (memory: GradientMemory): number =>
    estimatePhase(phase, { memory, trainers: o.trainers ?? 1 }).memoryBytes;
  const now = gradientMemory(needs);
  const ways = [now, ...thriftierMemory(needs)];
  const fixed = o.memory.microSequences;
  const allowed = ways.filter(({ microSequences }) => fixed === undefined || microSequences === fixed);
  const memory = allowed.find((way) => bytesWith(way) <= o.availableBytes);
  if (memory !== undefined) return { memory, neededBytes: bytesWith(memory) };
  const fitting = ways.find((way) => bytesWith(way) <= o.availableBytes);
  const thriftiest = Math.min(...ways.map(bytesWith));
  const advice =
    fitting === undefined
      ? `with ${flagsOf({ microSequences: 1, recomputesLayers: true })} it would still be ${gigabytes(thriftiest)}: free memory, take a larger machine, or start with --role serve, which holds and gives what others need`
      : `start with ${flagsOf(fitting)} (${gigabytes(bytesWith(fitting))}), or without --micro-batch`;
  throw new StarlingError(
    "MEMORY_TOO_SMALL",
    `expected ${gigabytes(bytesWith(now))} of free memory to train this model with ${flagsOf(now)}, got ${gigabytes(o.availableBytes)}; ${advice}`,
  );
}

function flagsOf({ microSequences, recomputesLayers }: Required<GradientMemory>): string {
  return `--micro-batch ${microSequences}${recomputesLayers ? " --recompute" : ""}`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

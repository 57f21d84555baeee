/** Refuses a phase that the host's memory can't hold, before the system's out-of-memory killer does. */
import { StarlingError } from "../core/index.ts";
import { type GradientMemory, gradientMemory, thriftierMemory } from "../trainer/index.ts";
import { estimatePhase } from "./estimate.ts";
import type { Phase } from "./manifest.ts";

/** @throws StarlingError `MEMORY_TOO_SMALL`, saying what to lower. */
export function checkMemory(phase: Phase, o: { memory: GradientMemory; availableBytes: number }): void {
  const { model, batch } = phase;
  const needs = { model, sequences: batch.sequences, memory: o.memory };
  const bytesWith = (memory: GradientMemory): number => estimatePhase(phase, memory).memoryBytes;
  const now = gradientMemory(needs);
  const neededBytes = bytesWith(now);
  if (neededBytes <= o.availableBytes) return;
  const fitting = thriftierMemory(needs).find((memory) => bytesWith(memory) <= o.availableBytes);
  const thriftiest = Math.min(neededBytes, ...thriftierMemory(needs).map(bytesWith));
  const advice =
    fitting === undefined
      ? `with ${flagsOf({ microSequences: 1, recomputesLayers: true })} it would still be ${gigabytes(thriftiest)}: free memory, or take a larger machine`
      : `start with ${flagsOf(fitting)} (${gigabytes(bytesWith(fitting))})`;
  throw new StarlingError(
    "MEMORY_TOO_SMALL",
    `expected ${gigabytes(neededBytes)} of free memory to train this model with ${flagsOf(now)}, got ${gigabytes(o.availableBytes)}; ${advice}`,
  );
}

function flagsOf({ microSequences, recomputesLayers }: Required<GradientMemory>): string {
  return `--micro-batch ${microSequences}${recomputesLayers ? " --recompute" : ""}`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

/** Claiming more work than was done, or the same work by more names. */
import type { Strategy } from "../strategy.ts";

/** All the steps that the manifest allows, in the time of the others. */
export function inflator(): Strategy {
  return {
    name: "inflator",
    train: ({ closing }, node) => {
      const { pace, run } = node.options;
      const steps = closing ? 0 : run.limits.stepsMax;
      return { durationMs: 0.9 * pace.stepsPerRound * pace.stepMs, steps };
    },
  };
}

/** One of many keys of one machine, which does a single step for each of them, one after the other. */
export function sybil(index: number): Strategy {
  return {
    name: "sybil",
    train: ({ closing }, node) => ({
      durationMs: (index + 1) * node.options.pace.stepMs,
      steps: closing ? 0 : 1,
    }),
  };
}

/** Claiming more work than was done: all the steps that the manifest allows, in the time of the others. */
import type { Strategy } from "../strategy.ts";

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

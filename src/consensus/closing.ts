/**
 * How a phase ends: when its budget of tokens is included, contributions only cite (they are closing), until all that
 * anybody trained has settled.
 */
import type { PhaseLimits } from "./rule.ts";
import type { View } from "./view.ts";

/** The budget is reached: contributions only cite from here on. */
export function isClosing(view: View, { tokensBudget }: PhaseLimits): boolean {
  return view.includedTokens() >= tokensBudget;
}

/** The budget is reached and nothing that anybody trained is still unsettled. */
export function isOver(view: View, limits: PhaseLimits): boolean {
  if (!isClosing(view, limits)) return false;
  for (let r = view.settledRound; r < view.round; r++) if (hasTrained(view, r)) return false;
  return true;
}

/**
 * The settled round without the rounds at its end in which nobody trained: at the end of a phase all nodes agree on it,
 * however many closing rounds each has seen.
 */
export function trainedRound(view: View): number {
  const firstRound = view.context.base?.round ?? 0;
  let round = view.settledRound;
  while (round > firstRound && !hasTrained(view, round - 1)) round -= 1;
  return round;
}

function hasTrained(view: View, round: number): boolean {
  return view.included(round).some(({ header }) => header.delta !== null);
}

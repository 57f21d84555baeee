/**
 * How a phase ends: when its budget of tokens is included, contributions only cite (they are closing). The last phase is over
 * when all that anybody trained has settled; one that another grows from, when the budget has and its end is named, since it
 * may go on for ranking.
 */
import { phaseEnd } from "./phase-end.ts";
import type { PhaseLimits } from "./rule.ts";
import type { View } from "./view.ts";

/** The budget is reached: contributions only cite from here on. */
export function isClosing(view: View, { tokensBudget }: PhaseLimits): boolean {
  return view.includedTokens() >= tokensBudget;
}

/** Whether work that builds on this view may be cited: training on while a phase closes would keep it from ever settling. */
export function mayTrain(view: View, limits: PhaseLimits): boolean {
  return !isClosing(view, limits) || (limits.isRung === true && isOver(view, limits));
}

/** All that belongs to the phase has settled. */
export function isOver(view: View, limits: PhaseLimits): boolean {
  if (!isClosing(view, limits)) return false;
  if (limits.isRung === true) return isEndNamed(view, limits);
  for (let r = view.settledRound; r < view.round; r++) if (hasTrained(view, r)) return false;
  return true;
}

/**
 * The parents name the root that the phase ends with, one round after it has settled: all of them have gone on from that end,
 * and whoever is left behind and names another outweighs nobody (histories.ts).
 */
function isEndNamed(view: View, { tokensBudget }: PhaseLimits): boolean {
  const end = phaseEnd(view, tokensBudget);
  return end !== undefined && view.settledRound > end;
}

/** The settled round that a phase ends with; of one that is not over: with what was trained so far. */
export function endRound(view: View, limits: PhaseLimits): number {
  const end = limits.isRung === true ? phaseEnd(view, limits.tokensBudget) : undefined;
  return end ?? trainedRound(view);
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

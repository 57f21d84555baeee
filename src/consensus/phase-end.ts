/** Where a phase ends: a round of settled history, so the same on every node that follows it. */
import type { View } from "./view.ts";

/**
 * E, the least settled round such that the rounds below it hold `tokensBudget` tokens, counted as voting weight counts
 * them; undefined while there is none. Nothing that comes after moves it: not what settles later, nor who goes on
 * contributing to the phase for the sake of ranking.
 */
export function phaseEnd(view: View, tokensBudget: number): number | undefined {
  if (view.settledTokens() < tokensBudget) return undefined;
  let tokens = 0;
  for (let round = 0; round < view.settledRound; round++) {
    for (const counted of view.counted(round)) tokens += counted.tokens;
    if (tokens >= tokensBudget) return round + 1;
  }
  return undefined;
}

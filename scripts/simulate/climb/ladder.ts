/** The ladder that simulated nodes climb. */
import type { Seats } from "../../../src/consensus/index.ts";

export interface Rung {
  readonly tokensBudget: number;
  /** How it is entered; absent: it is the first. */
  readonly seats?: Seats;
}

/** Tokens of a node's full round: the pace below, with `tokensPerStep` 100. */
export const ROUND_TOKENS: number = 50 * 100;

/** Three phases of about `rounds` rounds; from half of the nodes on the last one is left to the best. */
export function threePhases(nodesCount: number, rounds: number): readonly Rung[] {
  const budget = (nodes: number): number => rounds * nodes * ROUND_TOKENS;
  const half = Math.ceil(nodesCount / 2);
  // Half of those who stay go up each time, so that all arrive in the end.
  const further = { qualifyRounds: 4, qualifySeats: Math.ceil(nodesCount / 4) };
  return [
    { tokensBudget: budget(nodesCount) },
    { tokensBudget: budget(nodesCount), seats: { seats: nodesCount, ...further } },
    { tokensBudget: budget(half), seats: { seats: half, ...further } },
  ];
}

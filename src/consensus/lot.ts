/** The public lot: who draws the least hash(run, phase, round, author, ticket). */
import { type PeerId, type RunId, digestOf } from "../core/index.ts";

const TICKETS_MAX = 64;

export interface Draw {
  readonly run: RunId;
  readonly phase: number;
  readonly round: number;
}

/** Tickets of an author, 1 to 64, in proportion to the heaviest candidate's weight. */
export function ticketsOf(weight: number, heaviest: number): number {
  return heaviest <= 0 ? 1 : 1 + Math.floor((weight / heaviest) * (TICKETS_MAX - 1));
}

/** The candidate that holds the least lot; undefined when there is none. */
export function leastLot<T>(
  candidates: readonly { item: T; author: PeerId; tickets: number }[],
  draw: Draw,
): T | undefined {
  let winner: { item: T; lot: string } | undefined;
  for (const { item, author, tickets } of candidates) {
    for (let ticket = 0; ticket < tickets; ticket++) {
      const lot = lotOf(draw, author, ticket);
      if (winner === undefined || lot < winner.lot) winner = { item, lot };
    }
  }
  return winner?.item;
}

export function lotOf({ run, phase, round }: Draw, author: PeerId, ticket: number): string {
  return digestOf(new TextEncoder().encode(`${run}/${phase}/${round}/${author}/${ticket}`));
}

/** The public lot: who draws the least hash(run, phase, round, author, ticket). */
import { type PeerId, type RunId, digestOf } from "../core/index.ts";

/** Two digits at most, see leastOf. */
const TICKETS_MAX = 64;
const DIGIT_ZERO = 0x30;

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
    const lot = leastOf(draw, author, tickets);
    if (winner === undefined || lot < winner.lot) winner = { item, lot };
  }
  return winner?.item;
}

export function lotOf(draw: Draw, author: PeerId, ticket: number): string {
  return digestOf(new TextEncoder().encode(`${prefixOf(draw, author)}${ticket}`));
}

/** The least of lotOf(draw, author, 0 .. tickets-1), with the text encoded once: most of a draw's time goes here. */
function leastOf(draw: Draw, author: PeerId, tickets: number): string {
  const prefix = new TextEncoder().encode(prefixOf(draw, author));
  const bytes = new Uint8Array(prefix.length + 2);
  bytes.set(prefix);
  let least = "g"; // Above every hex digit.
  for (let ticket = 0; ticket < tickets; ticket++) {
    let end = prefix.length;
    if (ticket >= 10) bytes[end++] = DIGIT_ZERO + Math.floor(ticket / 10);
    bytes[end++] = DIGIT_ZERO + (ticket % 10);
    const lot = digestOf(bytes.subarray(0, end));
    if (lot < least) least = lot;
  }
  return least;
}

function prefixOf({ run, phase, round }: Draw, author: PeerId): string {
  return `${run}/${phase}/${round}/${author}/`;
}

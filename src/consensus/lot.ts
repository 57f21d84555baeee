/** The public lot: who draws the least hash(run, phase, round, author, ticket). */
import { type PeerId, type RunId, digestOf } from "../core/index.ts";

/** Two digits at most, see extend. */
const TICKETS_MAX = 64;
/** Views are made for the rounds around the newest; others are hashed again. Guess. */
const ROUNDS_KEPT = 8;
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

/**
 * Draws, with what was hashed before kept for the last rounds: every view of a round draws from the same tickets, and
 * hashing 64 of them for each of 256 authors takes as long as all the rest of a view.
 */
export class Lots {
  /** For a round: the author's least lot among its first n tickets, at n - 1. */
  readonly #least = new Map<number, Map<PeerId, string[]>>();

  /** The candidate that holds the least lot; undefined when there is none. */
  draw<T>(candidates: readonly { item: T; author: PeerId; tickets: number }[], draw: Draw): T | undefined {
    const known = this.#ofRound(draw.round);
    let winner: { item: T; lot: string } | undefined;
    for (const { item, author, tickets } of candidates) {
      const least = known.get(author) ?? [];
      if (least.length === 0) known.set(author, least);
      if (least.length < tickets) extend(least, tickets, prefixOf(draw, author));
      const lot = least[tickets - 1] as string;
      if (winner === undefined || lot < winner.lot) winner = { item, lot };
    }
    return winner?.item;
  }

  #ofRound(round: number): Map<PeerId, string[]> {
    const known = this.#least.get(round) ?? new Map<PeerId, string[]>();
    this.#least.set(round, known);
    // The round that was asked for first goes first.
    const [oldest] = this.#least.keys();
    if (oldest !== undefined && this.#least.size > ROUNDS_KEPT) this.#least.delete(oldest);
    return known;
  }
}

export function lotOf(draw: Draw, author: PeerId, ticket: number): string {
  return digestOf(new TextEncoder().encode(`${prefixOf(draw, author)}${ticket}`));
}

/** Goes on with the minima up to `tickets`, with the text encoded once: most of a draw's time goes here. */
function extend(least: string[], tickets: number, prefixText: string): void {
  const prefix = new TextEncoder().encode(prefixText);
  const bytes = new Uint8Array(prefix.length + 2);
  bytes.set(prefix);
  for (let ticket = least.length; ticket < tickets; ticket++) {
    let end = prefix.length;
    if (ticket >= 10) bytes[end++] = DIGIT_ZERO + Math.floor(ticket / 10);
    bytes[end++] = DIGIT_ZERO + (ticket % 10);
    const lot = digestOf(bytes.subarray(0, end));
    const before = least[ticket - 1];
    least.push(before !== undefined && before < lot ? before : lot);
  }
}

function prefixOf({ run, phase, round }: Draw, author: PeerId): string {
  return `${run}/${phase}/${round}/${author}/`;
}

/**
 * Who has come, and for which history: what is of ours counts in the turnout, what is of another makes a rival. More
 * settles with every round, and somebody who counted may turn out to be of another history; then all is counted anew.
 */
import type { Electorate } from "./electorate.ts";
import { Rivals } from "./histories.ts";
import type { Lineage } from "./lineage.ts";
import { Turnout } from "./turnout.ts";
import type { Contribution, View } from "./view.ts";

/** What a round counts by. */
export interface Call {
  readonly round: number;
  /** Our history, as far as it has settled. */
  readonly lineage: Lineage;
  readonly electorate: Electorate;
}

export interface MusterOptions {
  /** Our own number (roster.ts). */
  readonly self: number;
  /** Whether a contribution's body is here, whatever the gates say of it: its author need not be waited for. */
  holds(c: Contribution): boolean;
  /** All that is linked of a round and later ones. */
  since(round: number): Iterable<Contribution>;
}

export class Muster {
  readonly #options: MusterOptions;
  readonly #rivals = new Rivals();
  #lineage: Lineage;
  #turnout: Turnout;

  constructor(options: MusterOptions, { round, lineage, electorate }: Call) {
    this.#options = options;
    this.#lineage = lineage;
    this.#turnout = new Turnout(options.self, electorate, round);
  }

  /** Of our history. */
  get turnout(): Turnout {
    return this.#turnout;
  }

  isOurs({ lineage }: Contribution): boolean {
    return lineage.agrees(this.#lineage);
  }

  /** It was linked, or its body is here now. */
  take(c: Contribution): void {
    if (!this.isOurs(c)) return this.#rivals.take(c);
    const { round } = c.header;
    this.#turnout.takeHeader(c.authorNumber, round);
    if (this.#options.holds(c)) this.#turnout.takeFull(c.authorNumber, round);
  }

  /** Counts for this round from now on. */
  enter({ round, lineage, electorate }: Call): void {
    const before = this.#lineage;
    this.#lineage = lineage;
    const isStraight = lineage === before || (lineage.before === before && !before.isSplit);
    // A turnout has let go of who came to earlier rounds: where we go back to one, all is counted anew.
    if (isStraight && round >= this.#turnout.round) return this.#turnout.enter(round, electorate);
    this.#turnout = new Turnout(this.#options.self, electorate, round);
    for (const c of this.#options.since(Math.max(0, round - 1))) this.take(c);
  }

  /** The contribution whose history outweighs ours, if there is one. */
  winner(ours: View): Contribution | undefined {
    return this.#rivals.winner(ours);
  }

  /** We go over to a history that was a rival. */
  forgetRivals(): void {
    this.#rivals.clear();
  }
}

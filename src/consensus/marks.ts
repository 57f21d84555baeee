/**
 * A number for each of many contributions. They are counted through in each round (`place`), so that a machine needs no map
 * by id of its own for what it holds: in a flock of hundreds, maps that are not in the processor's cache took most of the
 * time (bench/RESULTS.md).
 */
import type { Contribution } from "./view.ts";

export class Marks {
  readonly #rounds: Uint8Array[] = [];

  /** 0 unless it was set. */
  get({ header, place }: Contribution): number {
    return this.#rounds[header.round]?.[place] ?? 0;
  }

  /** `mark`: up to 255. */
  set({ header, place }: Contribution, mark: number): void {
    let marks = this.#rounds[header.round];
    if (marks === undefined || marks.length <= place) {
      const longer = new Uint8Array(Math.max(64, 2 * place));
      if (marks !== undefined) longer.set(marks);
      this.#rounds[header.round] = marks = longer;
    }
    marks[place] = mark;
  }

  clear(): void {
    this.#rounds.length = 0;
  }
}

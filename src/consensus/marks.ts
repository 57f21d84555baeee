/**
 * A number for each of many things that are counted through in each round, as contributions are by their `place` and
 * authors by their number: a machine needs no map by id of its own for what it holds. In a flock of hundreds, maps that are
 * not in the processor's cache took most of the time (bench/RESULTS.md).
 */
export class Marks {
  readonly #rounds: (Uint8Array | undefined)[] = [];

  /** 0 unless it was set. */
  get(round: number, place: number): number {
    return this.#rounds[round]?.[place] ?? 0;
  }

  /** `mark`: up to 255. */
  set(round: number, place: number, mark: number): void {
    let marks = this.#rounds[round];
    if (marks === undefined || marks.length <= place) {
      const longer = new Uint8Array(Math.max(64, 2 * place));
      if (marks !== undefined) longer.set(marks);
      this.#rounds[round] = marks = longer;
    }
    marks[place] = mark;
  }

  /** Nothing of this round is asked for any more. */
  forget(round: number): void {
    if (this.#rounds[round] !== undefined) this.#rounds[round] = undefined;
  }

  clear(): void {
    this.#rounds.length = 0;
  }
}

/** A curve of bounded length: when it is full every second point goes, and from then on only every second one comes in. */
export class Points {
  readonly #max: number;
  #round: number[] = [];
  #tokens: number[] = [];
  #lossNats: number[] = [];
  #every = 1;
  #seen = 0;
  #newest: readonly [number, number, number] | undefined;

  /** `max`: even. Guess: more points than a chart has pixels to tell apart on a phone. */
  constructor(max = 512) {
    this.#max = max;
  }

  add(round: number, tokens: number, lossNats: number): void {
    this.#newest = [round, tokens, lossNats];
    if (this.#seen++ % this.#every !== 0) return;
    this.#push(round, tokens, lossNats);
    if (this.#round.length < this.#max) return;
    const half = <T>(values: T[]): T[] => values.filter((_, i) => i % 2 === 0);
    this.#round = half(this.#round);
    this.#tokens = half(this.#tokens);
    this.#lossNats = half(this.#lossNats);
    this.#every *= 2;
  }

  /** Oldest first; the newest point is always in it. */
  columns(): { round: number[]; tokens: number[]; lossNats: number[] } {
    const columns = {
      round: this.#round.slice(),
      tokens: this.#tokens.slice(),
      lossNats: this.#lossNats.slice(),
    };
    if (this.#newest !== undefined && columns.round.at(-1) !== this.#newest[0]) {
      columns.round.push(this.#newest[0]);
      columns.tokens.push(this.#newest[1]);
      columns.lossNats.push(this.#newest[2]);
    }
    return columns;
  }

  #push(round: number, tokens: number, lossNats: number): void {
    this.#round.push(round);
    this.#tokens.push(tokens);
    this.#lossNats.push(lossNats);
  }
}

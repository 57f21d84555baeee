/** Ends a text where one of the words that the client named begins, and lets nothing of that word out before. */

export class StopText {
  readonly #stops: readonly string[];
  #held = "";

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** The text that is certain not to be part of a stop; `stopped`: one has come, and nothing follows. */
  push(text: string): { text: string; stopped: boolean } {
    const all = this.#held + text;
    const found = this.#stops.map((stop) => all.indexOf(stop)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.#held = "";
      return { text: all.slice(0, Math.min(...found)), stopped: true };
    }
    const length = this.#beginningAtEnd(all);
    this.#held = all.slice(all.length - length);
    return { text: all.slice(0, all.length - length), stopped: false };
  }

  /** What was held back, when the text has ended otherwise. */
  end(): string {
    return this.#held;
  }

  /** The length of the longest end of `text` that a stop begins with. */
  #beginningAtEnd(text: string): number {
    const longest = Math.max(0, ...this.#stops.map((stop) => stop.length - 1));
    for (let length = Math.min(longest, text.length); length > 0; length--) {
      const end = text.slice(text.length - length);
      if (this.#stops.some((stop) => stop.startsWith(end))) return length;
    }
    return 0;
  }
}

/**
 * Numbers for authors, in the order in which they were first heard of: a machine counts who came in plain arrays, because
 * every message of a flock asks for it. The numbers mean nothing outside this process.
 */
import type { PeerId } from "../core/index.ts";

export class Roster {
  readonly #numbers = new Map<PeerId, number>();

  /** Always the same for an author. */
  numberOf(author: PeerId): number {
    const known = this.#numbers.get(author);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(author, number);
    return number;
  }

  /** Undefined for whom it has no number yet: anybody's word alone is not to fill it. */
  find(author: PeerId): number | undefined {
    return this.#numbers.get(author);
  }
}

/** What became of each author's work in settled rounds, as this node heard of it: counted once, when a round settles. */
import type { ContributionGraph, View } from "../../consensus/index.ts";
import type { PeerId } from "../../core/index.ts";
import type { AuthorStatus } from "../status.ts";

/** Authors in a status. Guess: a full flock. */
const AUTHORS_MAX = 64;

export class Fates {
  readonly #authors = new Map<PeerId, { heard: number; included: number }>();
  #round = 0;

  /** Takes in the rounds below `untilRound` that have settled since the last call. */
  settle(graph: ContributionGraph, view: View, untilRound: number): void {
    for (; this.#round < untilRound; this.#round++) {
      const included = new Set(view.included(this.#round));
      for (const c of graph.round(this.#round)) {
        if (c.header.delta === null) continue;
        const before = this.#authors.get(c.header.author) ?? { heard: 0, included: 0 };
        this.#authors.set(c.header.author, {
          heard: before.heard + 1,
          included: before.included + Number(included.has(c)),
        });
      }
    }
  }

  /** Another history is followed now. */
  restart(): void {
    this.#authors.clear();
    this.#round = 0;
  }

  /** Those who published most first. */
  list(): AuthorStatus[] {
    const all = [...this.#authors].map(([peerId, counts]) => ({ peerId, ...counts }));
    return all.toSorted((a, b) => b.heard - a.heard || (a.peerId < b.peerId ? -1 : 1)).slice(0, AUTHORS_MAX);
  }
}

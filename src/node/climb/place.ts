/** A node's place among those who work on a phase, while the phase lasts: by accepted work, as at its end. */
import { type Lineage, type Machine, acceptedWork, rankAuthors } from "../../consensus/index.ts";
import type { PeerId } from "../../core/index.ts";

export class Place {
  readonly #machine: Machine;
  readonly #self: PeerId;
  #lineage: Lineage | undefined;
  #rank: number | null = null;

  constructor(machine: Machine, self: PeerId) {
    this.#machine = machine;
    this.#self = self;
  }

  /** From 1; null while nothing of ours has settled. Computed once for each settled round: it counts all of them. */
  get rank(): number | null {
    const { view } = this.#machine;
    if (view.lineage !== this.#lineage) {
      this.#lineage = view.lineage;
      const { round: until, root } = view.lineage;
      const at = rankAuthors(acceptedWork(view, { from: 0, until }), root).indexOf(this.#self);
      this.#rank = at < 0 ? null : at + 1;
    }
    return this.#rank;
  }
}

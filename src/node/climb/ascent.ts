/**
 * Who is admitted to the next phase, as this node sees it: read from the phase below, which goes on for the sake of
 * ranking and is listened to for as long as the node works on the phase right above it.
 */
import {
  type Machine,
  type PhaseMark,
  type Seats,
  type Standing,
  type View,
  type WeightTable,
  acceptedWork,
  firstVoters,
  standingAt,
} from "../../consensus/index.ts";
import type { PeerId } from "../../core/index.ts";

export class Ascent {
  readonly mark: PhaseMark;
  /** Who votes in the phase above before a round of it has settled. */
  readonly voters: WeightTable;
  /**
   * Nobody needs to be admitted to the phase above: neither here nor at any end below were as many as there are seats. Decided
   * at the end for good, as everything is that nodes must agree on.
   */
  readonly isOpen: boolean;
  readonly #machine: Machine;
  readonly #seats: Seats;
  #standing: Standing;
  #settledRound: number;

  /** `below`: of a phase that is over; `isBelowOpen`: to anybody. */
  constructor(
    below: Machine,
    mark: PhaseMark,
    { seats, isBelowOpen }: { seats: Seats; isBelowOpen: boolean },
  ) {
    this.mark = mark;
    this.#machine = below;
    this.#seats = seats;
    this.#settledRound = below.view.settledRound;
    this.#standing = this.#standingAt(below.view);
    this.isOpen = isBelowOpen && this.#standing.hasFreeSeats;
    this.voters = firstVoters(below.view, mark, this.#standing);
  }

  get standing(): Standing {
    const newest = newestView(this.#machine);
    if (newest.settledRound > this.#settledRound) {
      this.#settledRound = newest.settledRound;
      this.#standing = this.#standingAt(newest);
    }
    return this.#standing;
  }

  admits(author: PeerId): boolean {
    return this.isOpen || this.standing.admitted.some((admitted) => admitted.author === author);
  }

  /** From 1; null for whoever did nothing that counts. */
  rankOf(author: PeerId): number | null {
    const at = this.standing.ranking.indexOf(author);
    return at < 0 ? null : at + 1;
  }

  #standingAt(view: View): Standing {
    return standingAt(view, this.mark, { seats: this.#seats, score: acceptedWork });
  }
}

/**
 * Of our history as far as headers go, the newest round's included: who qualified by it goes on, and nothing is ever
 * built on it. A machine that has finished, or is behind, knows more than its own view.
 */
function newestView({ graph, view }: Machine): View {
  for (let round = graph.roundsCount - 1; round >= view.round; round--) {
    const ours = graph.round(round).filter(({ lineage }) => lineage.agrees(view.lineage));
    const [first] = ours;
    const alike = ours.filter(({ lineage }) => lineage === first?.lineage);
    if (first !== undefined) return graph.view(round + 1, alike);
  }
  return view;
}

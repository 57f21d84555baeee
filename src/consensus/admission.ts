/**
 * Who may contribute to a phase: the best of the phase before at its end, and the best of those left behind whenever
 * `qualifyRounds` more of its rounds have settled. Admission is no part of the fold: a node cites the admitted, and what
 * a node has not yet heard of it cites a little later.
 */
import type { Digest, PeerId } from "../core/index.ts";
import { type RoundRange, type Score, rankAuthors } from "./ranking.ts";
import type { View } from "./view.ts";
import type { WeightTable } from "./weights.ts";

export interface Seats {
  readonly seats: number;
  readonly qualifyRounds: number;
  readonly qualifySeats: number;
}

export interface PhaseMark {
  /** E: rounds below it made the weights that the next phase grows from. */
  readonly round: number;
  /** The settled root of that state, which the next phase's first headers name. */
  readonly root: Digest;
}

export interface Admitted {
  readonly author: PeerId;
  /** The round of the phase before, from which its settled history admits the author; the end's for the first. */
  readonly round: number;
}

export interface Standing {
  /** All who have worked before the end, the best first. */
  readonly ranking: readonly PeerId[];
  /** In the order of their admission; nobody twice. */
  readonly admitted: readonly Admitted[];
  /** Fewer have worked than there are seats: those that are left are anybody's. */
  readonly hasFreeSeats: boolean;
}

/** `view`: of the phase that ended at `mark`, which it has settled. Lots need a root that a header has named. */
export function standingAt(
  view: View,
  mark: PhaseMark,
  { seats, score }: { seats: Seats; score: Score },
): Standing {
  const ranked = ({ from, until }: RoundRange, root: Digest): PeerId[] =>
    rankAuthors(score(view, { from, until }), root);
  const ranking = ranked({ from: 0, until: mark.round }, mark.root);
  const admitted = new Map(ranking.slice(0, seats.seats).map((author) => [author, mark.round]));
  const { qualifyRounds, qualifySeats } = seats;
  for (let round = mark.round + qualifyRounds; ; round += qualifyRounds) {
    const root = view.lineage.at(round)?.root;
    if (root === undefined) break;
    // What was done since the last time: who comes late need not catch up with years.
    const best = ranked({ from: round - qualifyRounds, until: round }, root);
    const up = best.filter((author) => !admitted.has(author)).slice(0, qualifySeats);
    for (const author of up) admitted.set(author, round);
  }
  return {
    ranking,
    admitted: [...admitted].map(([author, round]) => ({ author, round })),
    hasFreeSeats: ranking.length < seats.seats,
  };
}

/** Who votes in the next phase before a round of it has settled: the first admitted, with the weight they ended with. */
export function firstVoters(view: View, mark: PhaseMark, { admitted }: Standing): WeightTable {
  const table = view.tableAt(mark.round);
  const first = admitted.filter(({ round }) => round === mark.round);
  return new Map(first.flatMap(({ author }) => [[author, table.get(author) ?? 0] as const]));
}

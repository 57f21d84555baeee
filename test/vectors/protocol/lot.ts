/** lot.json: who wins a lot among weighted candidates. */
import { Lots, lotOf, ticketsOf } from "../../../src/consensus/lot.ts";
import { peerOf, runIdOf } from "../../support/run-of.ts";

export interface LotVector {
  run: string;
  phase: number;
  round: number;
  candidates: { author: string; weight: number; tickets: number }[];
  /** Of the first candidate's ticket 0, hex. */
  firstLot: string;
  winner: string;
}

export function lotVectors(): LotVector[] {
  const weights = [
    [0, 0, 0],
    [1, 1, 1, 1],
    [0, 81_920, 40_960, 1],
    [7, 63, 62, 100, 6_300_000, 3_150_001],
  ];
  return weights.flatMap((row, phase) =>
    [0, 9, 70_000].map((round) => {
      const draw = { run: runIdOf("lots"), phase, round };
      const heaviest = Math.max(...row);
      const candidates = row.map((weight, i) => {
        return { author: peerOf(`lot ${i}`), weight, tickets: ticketsOf(weight, heaviest) };
      });
      const winner = new Lots().draw(
        candidates.map(({ author, tickets }) => ({ item: author, author, tickets })),
        draw,
      );
      const [first] = candidates;
      return { ...draw, candidates, firstLot: lotOf(draw, first.author, 0), winner: winner as string };
    }),
  );
}

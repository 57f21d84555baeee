import { expect, test } from "vitest";
import { FoldedWeights } from "../../../src/node/learner/folded-weights.ts";

const NOTHING_NEW = { rounds: [] };

/** Begun at round 10 with tens, then on at 20 with twenties, and at 30 with thirties. */
function steppedTwice(): FoldedWeights {
  const folded = new FoldedWeights({ codec: [], lengths: [2], start: () => Int32Array.of(0, 0) });
  for (const round of [10, 20, 30]) folded.startFrom(round, Int32Array.of(round, round));
  return folded;
}

test.each([
  ["after the newest", 30],
  ["between the newest and the one that we began with", 10],
  ["before both", 0],
])("S6 another history that forks %s is folded onto the last state below the fork", (_, from) => {
  const folded = steppedTwice();
  folded.fold({ round: from + 2, from, settledRound: from, ...NOTHING_NEW });
  expect([...folded.weights, ...folded.settled]).toEqual([from, from, from, from]);
});

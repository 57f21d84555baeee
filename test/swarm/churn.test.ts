/** S5, in small; sixteen nodes and thirty rounds: `npm run bench:churn`. */
import { expect, test } from "vitest";
import { endureChurn } from "../support/churn.ts";

const GROWTH_MAX = 1.1;

test("S5 five nodes, two replaced every five rounds, the bootstrap node gone: rounds go on, one root, memory flat", async () => {
  const { bytesEarly, bytesLate, stayed, disputed } = await endureChurn({
    nodes: 5,
    replaced: 2,
    everyRounds: 5,
    earlyRound: 10,
    lastRound: 30,
    stayers: [3, 4],
    // A second or two of training.
    stepsPerRound: 150,
    deadlineMs: 500_000,
  });
  expect(disputed).toEqual([]);
  expect(stayed.every((s) => s.contributionsIncluded > 0)).toBe(true);
  const growth = bytesLate.map((bytes, i) => bytes / (bytesEarly[i] ?? 0));
  expect(Math.max(...growth)).toBeLessThanOrEqual(GROWTH_MAX);
});

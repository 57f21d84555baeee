/** R3, S5: how long a node waits for the others. */
import { beforeEach, expect, test } from "vitest";
import type { Rule } from "../../../src/consensus/index.ts";
import { Tempo } from "../../../src/consensus/tempo.ts";

const TRAIN_MS = 500;
const ROUND_MS = 4_000;
const PATIENCE = 3;

let tempo: Tempo;
beforeEach(() => (tempo = new Tempo({ patienceShare: PATIENCE, graceShare: 0.05 } as Rule)));

/** Trains from `startMs` on; two thirds of the round are there at `gatheredMs`, before we publish or after it. */
function live(round: number, startMs: number, gatheredMs: number): void {
  tempo.startTraining(round, startMs);
  tempo.endTraining(startMs + TRAIN_MS);
  tempo.startCollecting(startMs + TRAIN_MS);
  tempo.gather(round, true, Math.max(gatheredMs, startMs + TRAIN_MS));
}

/** What is left to wait in a round of which nothing comes. */
function patienceMs(): number {
  tempo.startCollecting(0);
  return tempo.collectUntilMs;
}

test("S5 whoever publishes last has the same patience as whoever publishes first", () => {
  for (let round = 0; round < 4; round++) live(round, round * ROUND_MS, (round + 1) * ROUND_MS);
  const first = patienceMs();
  tempo = new Tempo({ patienceShare: PATIENCE, graceShare: 0.05 } as Rule);
  for (let round = 0; round < 4; round++) live(round, (round + 1) * ROUND_MS - TRAIN_MS, 0);
  expect([first, patienceMs()]).toEqual([PATIENCE * ROUND_MS, PATIENCE * ROUND_MS]);
});

test("S5 patience is soon longer and slowly shorter, and does not grow by what it waited itself", () => {
  live(0, 0, ROUND_MS);
  live(1, ROUND_MS, 3 * ROUND_MS);
  expect(patienceMs(), "twice as long").toBe(2 * PATIENCE * ROUND_MS);
  live(2, 3 * ROUND_MS, 3 * ROUND_MS + 1_000);
  expect(patienceMs()).toBe(0.75 * 2 * PATIENCE * ROUND_MS);
  // Round 3 went by without two thirds.
  live(4, 9 * ROUND_MS, 9 * ROUND_MS + 2_000);
  expect(patienceMs()).toBe(0.75 ** 2 * 2 * PATIENCE * ROUND_MS);
});

test.each([
  ["a newcomer waits longer each time", 1_000, [1_000, 2_000, 4_000, 4_000]],
  ["who knew a slow flock waits less", 8_000, [8_000, 6_000, 4_500, 4_000]],
])("S5 where nobody comes any more %s", (_, roundMs, waitedMs) => {
  for (let round = 0; round < 4; round++) live(round, round * roundMs, (round + 1) * roundMs);
  const waited = waitedMs.map(() => {
    const ms = patienceMs();
    tempo.endCollecting(ms);
    return ms;
  });
  expect(waited).toEqual(waitedMs.map((ms) => PATIENCE * ms));
});

test("S5 a collection that ends because half of the flock has gone on says nothing of how long rounds take", () => {
  tempo.startCollecting(0);
  tempo.endCollecting(1);
  expect(patienceMs()).toBe(PATIENCE * 1_000);
});

test("N2 a flock that sleeps for a day waits for the dead sixteen times as long as before, not for three days", () => {
  for (let round = 0; round < 4; round++) live(round, round * ROUND_MS, (round + 1) * ROUND_MS);
  const dayMs = 86_400_000;
  live(4, dayMs, dayMs + ROUND_MS);
  expect(patienceMs()).toBe(16 * PATIENCE * ROUND_MS);
});

test("a round that we published in an earlier life says nothing of how long rounds take", () => {
  tempo.startCollecting(60_000);
  tempo.gather(7, true, 90_000);
  expect(patienceMs()).toBe(PATIENCE * 1_000);
});

import { describe, expect, test } from "vitest";
import type { Stage } from "../../../../src/consensus/index.ts";
import { Timeline, trainingShare } from "../../../../src/node/watch/timeline.ts";

describe("N3 the timeline of rounds", () => {
  test("splits each round's time into its stages, whichever way the machine goes through them", () => {
    const ended: [string, number][] = [];
    const timeline = new Timeline((stage, ms) => ended.push([stage, ms]));
    const steps: readonly [number, Stage, number][] = [
      [0, "idle", 0],
      [0, "waiting", 10],
      [0, "folding", 15],
      [0, "training", 20],
      [0, "training", 25],
      [0, "publishing", 60],
      [0, "collecting", 62],
      [1, "folding", 70],
      [1, "training", 73],
    ];
    for (const step of steps) timeline.note(...step);
    expect(timeline.spans(80)).toEqual([
      {
        round: 0,
        startedMs: 10,
        endedMs: 70,
        waitMs: 5,
        foldMs: 5,
        trainMs: 40,
        publishMs: 2,
        collectMs: 8,
      },
      {
        round: 1,
        startedMs: 70,
        endedMs: null,
        waitMs: 0,
        foldMs: 3,
        trainMs: 7,
        publishMs: 0,
        collectMs: 0,
      },
    ]);
    expect(ended.map(([stage]) => stage)).toEqual([
      "waiting",
      "folding",
      "training",
      "publishing",
      "collecting",
      "folding",
    ]);
    expect(trainingShare(timeline.spans(80), 80)).toBeCloseTo(47 / 70);
  });

  test("a finished run's last round stays as it was", () => {
    const timeline = new Timeline(() => undefined);
    timeline.note(4, "folding", 0);
    timeline.note(4, "finished", 7);
    expect(timeline.spans(1000)).toEqual([expect.objectContaining({ round: 4, endedMs: 7, foldMs: 7 })]);
  });

  test("keeps the last 64 rounds", () => {
    const timeline = new Timeline(() => undefined);
    for (let round = 0; round < 200; round++) timeline.note(round, "training", round);
    const spans = timeline.spans(200);
    expect([spans.length, spans[0]?.round, spans.at(-1)?.round]).toEqual([64, 136, 199]);
  });
});

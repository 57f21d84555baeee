import { expect, test } from "vitest";
import type { Contribution, Machine } from "../../../src/consensus/index.ts";
import { type ContributionId, type Verdict, accept, ignore } from "../../../src/core/index.ts";
import type { Judgement } from "../../../src/node/learner/judge.ts";
import { Judging } from "../../../src/node/round/judging.ts";
import { peerOf } from "../../support/run-of.ts";

type Stage = Machine["stage"];

function made(name: string, round: number, place: number): Contribution {
  const header = { author: peerOf(name), round, delta: { norm: 1 } };
  return { id: `${name}/${round}`, header, place } as unknown as Contribution;
}

/** A machine that only stands there, and a learner that says what it is told to. */
class Desk {
  readonly told: string[] = [];
  readonly asked: string[] = [];
  readonly judging: Judging;
  stage: Stage = "training";
  round = 3;
  lastOwn: Contribution | undefined = made("self", 3, 0);
  verdicts: Record<string, Verdict<null>> | null = {};

  constructor() {
    const view = { weightOf: () => 1 };
    const machine = { view, desk: this } as unknown as Machine;
    for (const name of ["stage", "round", "lastOwn"] as const)
      Object.defineProperty(machine, name, { get: () => this[name] });
    this.judging = new Judging({
      machine,
      self: peerOf("self"),
      judge: (round, candidates): Promise<Judgement> => {
        this.asked.push(candidates.map(({ id, isOwn }) => (isOwn ? `[${id}]` : id)).join(" "));
        const verdicts = this.verdicts && new Map(Object.entries(this.verdicts));
        return Promise.resolve({
          verdicts: round === 3 ? (verdicts as Judgement["verdicts"]) : null,
          judgingMs: 2,
        });
      },
      tell: (id: ContributionId, verdict) =>
        this.told.push(`${id} ${verdict.kind === "accept" ? "passes" : verdict.code}`),
    });
  }

  async judge(): Promise<string[]> {
    await this.judging.judge();
    return this.told.splice(0);
  }
}

test("E4: bodies wait until our own training is over, and are judged beside our own work", async () => {
  const desk = new Desk();
  desk.judging.add(made("ada", 3, 1));
  expect(desk.judging.isDue).toBe(false);
  expect(await desk.judge()).toEqual([]);
  desk.stage = "collecting";
  expect(desk.judging.isDue).toBe(true);
  desk.verdicts = { "self/3": accept(null), "ada/3": accept(null) };
  expect(await desk.judge()).toEqual(["ada/3 passes"]);
  expect(desk.asked).toEqual(["[self/3] ada/3"]);
  expect(desk.judging.isDue).toBe(false);
});

test("E4: who looked fine alone can be refused among more, and is told and counted once", async () => {
  const desk = new Desk();
  desk.stage = "collecting";
  desk.judging.add(made("ada", 3, 2));
  desk.verdicts = { "ada/3": accept(null) };
  expect(await desk.judge()).toEqual(["ada/3 passes"]);
  desk.judging.add(made("bob", 3, 1));
  desk.verdicts = { "ada/3": ignore("GATE_COPY", ""), "bob/3": accept(null) };
  expect(await desk.judge()).toEqual(["ada/3 GATE_COPY", "bob/3 passes"]);
  desk.judging.add(made("cyd", 3, 3));
  desk.verdicts = { ...desk.verdicts, "cyd/3": accept(null) };
  expect(await desk.judge()).toEqual(["cyd/3 passes"]);
  expect(desk.judging.counts).toEqual({ judged: 3, refused: { GATE_COPY: 1 }, judgingMs: 6 });
});

test("E4: where there is nothing to judge by, all passes: before we begin, of earlier rounds, of rounds without our work", async () => {
  const desk = new Desk();
  desk.judging.add(made("ada", 2, 0));
  expect(await desk.judge()).toEqual(["ada/2 passes"]);
  desk.judging.add(made("ada", 4, 0));
  expect(desk.judging.isDue).toBe(false);
  [desk.stage, desk.round] = ["collecting", 4];
  expect(await desk.judge()).toEqual(["ada/4 passes"]);
  desk.stage = "idle";
  desk.judging.add(made("ada", 7, 0));
  expect(await desk.judge()).toEqual(["ada/7 passes"]);
  expect(desk.judging.counts.judged).toBe(0);
});

test("S6 E4: a body that comes again, after we went over to another history in its round, is told of again", async () => {
  const desk = new Desk();
  desk.stage = "collecting";
  desk.verdicts = { "ada/3": accept(null) };
  for (let history = 0; history < 2; history++) {
    desk.judging.add(made("ada", 3, 1));
    expect(await desk.judge()).toEqual(["ada/3 passes"]);
  }
});

/** Which settled states a node asks peers for that lacks a body, comes back, or waited in vain. */
import { describe, expect, test } from "vitest";
import { type Ahead, statesAhead } from "../../../../src/node/join/states-ahead.ts";
import { History, type Made } from "../../consensus/support.ts";
import { peerOf, runOf } from "../../../support/run-of.ts";

const FLOCK = ["ada", "bob", "cyd", "dee", "eve", "fay", "gus"];

/** Seven do 30 rounds; then these go on, each with a history of its own. */
function after30(...ahead: readonly { readonly who: readonly string[]; readonly rounds: number }[]): History {
  const history = new History(runOf({ seed: "ahead", founders: FLOCK.map(peerOf) }));
  let all: Made[] = [];
  for (let r = 0; r < 30; r++) all = FLOCK.map((name) => history.add(name, all));
  for (const { who, rounds } of ahead) {
    let last = all;
    for (let r = 0; r < rounds; r++) last = who.map((name) => history.add(name, last));
  }
  return history;
}

const settledIn = ({ options }: History, rounds: number): number => rounds - 1 - options.rule.settleDepth;

function asked(history: History, wanted: Omit<Ahead, "sinceRound">): number[] {
  return [...statesAhead(history.graph, { sinceRound: 10, ...wanted })].map(({ round }) => round);
}

describe("S3 S8 a stranger who races a hundred rounds ahead", () => {
  const history = after30({ who: ["zoe"], rounds: 100 });
  const honest = settledIn(history, 30);

  test("does not hide what the flock goes on in", () => {
    for (const share of ["third", "some"] as const)
      expect(asked(history, { aboveRound: honest - 3, share })).toEqual([honest, honest - 1, honest - 2]);
  });

  test("is followed by nobody who lacks a body, or comes back, where the flock is no further than they are", () => {
    for (const share of ["third", "some"] as const)
      expect(asked(history, { aboveRound: honest, share })).toEqual([]);
  });

  test("comes last for who has nothing else", () => {
    const rounds = asked(history, { aboveRound: 0, share: "any" });
    expect(rounds.slice(0, honest)).toEqual(Array.from({ length: honest }, (_, i) => honest - i));
    expect(rounds[honest]).toBe(settledIn(history, 130));
  });
});

describe("S5 where five of seven died at once", () => {
  const history = after30({ who: ["ada", "bob"], rounds: 40 });
  const dead = settledIn(history, 30);
  const alive = settledIn(history, 70);

  test("the other two are followed by who lacks a body, and by nobody who only waited in vain", () => {
    expect(asked(history, { aboveRound: dead, share: "some" })[0]).toBe(alive);
    expect(asked(history, { aboveRound: dead, share: "third" })).toEqual([]);
  });

  test("what most went on in is asked for before, and each state once", () => {
    const rounds = asked(history, { aboveRound: dead - 2, share: "any" });
    expect(rounds.slice(0, 3)).toEqual([dead, dead - 1, alive]);
    expect(new Set(rounds).size).toBe(rounds.length);
  });
});

test("P1 S3 nothing after a phase's end is asked for", () => {
  const history = after30();
  expect(asked(history, { aboveRound: 0, endRound: 7, share: "some" })).toEqual([7, 6, 5, 4, 3, 2, 1]);
});

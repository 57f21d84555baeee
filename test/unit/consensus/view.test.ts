import { describe, expect, test } from "vitest";
import type { Contribution } from "../../../src/consensus/index.ts";
import { lotOf } from "../../../src/consensus/lot.ts";
import { peerOf, runOf } from "../../support/run-of.ts";
import { type Details, History, authorsOf } from "./support.ts";

const NAMES = ["ada", "bob", "cyd", "dee", "eve"];
const [ADA, BOB, CYD, DEE] = NAMES;

function historyOf(founders: readonly string[], seed = "view", rule = {}): History {
  return new History(runOf({ seed, rule, founders: founders.map(peerOf) }));
}

/** One contribution of each name, all from the same parents. */
function addAll(
  history: History,
  names: readonly string[],
  parents: readonly Contribution[] = [],
  details: (name: string) => Details = () => ({}),
): Contribution[] {
  return names.map((name) => history.add(name, parents, details(name)));
}

function names(contributions: readonly Contribution[]): string[] {
  return authorsOf(contributions, NAMES);
}

describe("S(R-1) and S(R-2)", () => {
  test("F14: x cited by exactly half of the weight is included, below half it is not", () => {
    const history = historyOf([ADA, BOB, CYD, DEE]);
    const [a0, b0, c0, d0] = addAll(history, [ADA, BOB, CYD, DEE]);
    const a1 = history.add(ADA, [a0, b0, c0, d0]);
    const b1 = history.add(BOB, [a0, b0, c0]);
    const c1 = history.add(CYD, [a0, b0]);
    const d1 = history.add(DEE, [a0, b0]);
    // Of weight 4: a0 and b0 have 4, c0 has 2, d0 has 1.
    const view = history.graph.view(2, [a1, b1, c1, d1]);
    expect(names(view.voted())).toEqual([ADA, BOB, CYD]);
    expect(names(view.included(1))).toEqual([ADA, BOB, CYD, DEE]);
    expect(view.included(0)).toEqual(view.voted());
    expect(view.included(2)).toEqual([]);
    expect(view.included(-1)).toEqual([]);
  });

  test("weight decides, not heads: strangers without weight add no votes", () => {
    const history = historyOf([ADA, BOB]);
    const [a0, b0, c0] = addAll(history, [ADA, BOB, CYD]);
    const a1 = history.add(ADA, [a0, b0]);
    const b1 = history.add(BOB, [a0, b0]);
    const strangers = [CYD, DEE, "eve"].map((name) => history.add(name, [c0]));
    expect(names(history.graph.view(2, [a1, b1, ...strangers]).voted())).toEqual([ADA, BOB]);
  });

  test("where nobody weighs anything, each contribution has one vote", () => {
    const history = historyOf([DEE]);
    const [a0, b0] = addAll(history, [ADA, BOB]);
    const next = [history.add(ADA, [a0, b0]), history.add(BOB, [a0, b0]), history.add(CYD, [a0])];
    expect(names(history.graph.view(2, next).voted())).toEqual([ADA, BOB]);
  });

  test("without founders, each author of round 0 weighs one", () => {
    const history = historyOf([]);
    const [a0, b0] = addAll(history, [ADA, BOB]);
    const next = [history.add(ADA, [a0, b0]), history.add(CYD, [a0])];
    const view = history.graph.view(2, next);
    expect([ADA, BOB, CYD].map((name) => view.weightOf(peerOf(name)))).toEqual([1, 1, 0]);
    expect(view.voters().size).toBe(2);
  });
});

describe("equivocation", () => {
  test("two parents of one author fall out and neither votes", () => {
    const history = historyOf([ADA, BOB, CYD]);
    const [a0, b0, c0] = addAll(history, [ADA, BOB, CYD]);
    const a1 = history.add(ADA, [a0, b0]);
    const b1 = history.add(BOB, [a0, b0]);
    const c1 = history.add(CYD, [c0], { variant: "one" });
    const c1Again = history.add(CYD, [c0, b0], { variant: "two" });
    const view = history.graph.view(2, [a1, b1, c1, c1Again]);
    expect(names(view.parents)).toEqual([ADA, BOB]);
    expect(names(view.voted())).toEqual([ADA, BOB]);
  });

  test("two contributions shown to one half each both reach half, and both fall out of S(R-2)", () => {
    const history = historyOf([ADA, BOB, CYD, DEE]);
    const [a0, b0, c0] = addAll(history, [ADA, BOB, CYD]);
    const one = history.add(DEE, [], { variant: "one" });
    const two = history.add(DEE, [], { variant: "two" });
    const shownOne = [ADA, BOB].map((name) => history.add(name, [a0, b0, c0, one]));
    const shownTwo = [CYD, DEE].map((name) => history.add(name, [a0, b0, c0, two]));
    const view = history.graph.view(2, [...shownOne, ...shownTwo]);
    expect(names(view.voted())).toEqual([ADA, BOB, CYD]);
  });
});

describe("anchor(P)", () => {
  /** Round 1 by ada, bob and cyd; ada cites as many of round 0 as told, the others all three. */
  function poorAda(seed: string, cited: number): { anchor: string; least: string } {
    const history = historyOf([ADA, BOB, CYD], seed);
    const first = addAll(history, [ADA, BOB, CYD]);
    const a1 = history.add(ADA, first.slice(0, cited));
    const rest = addAll(history, [BOB, CYD], first);
    const anchor = history.graph.view(2, [a1, ...rest]).anchor() as Contribution;
    return { anchor: names([anchor])[0], least: leastLotOf(history, [ADA, BOB, CYD], 1) };
  }

  /** The obvious slow way: hash all tickets of all candidates. */
  function leastLotOf({ options }: History, candidates: readonly string[], round: number): string {
    const lots = candidates.flatMap((name) =>
      Array.from({ length: 64 }, (_, ticket) => ({
        name,
        lot: lotOf({ ...options, round }, peerOf(name), ticket),
      })),
    );
    return lots.sort((a, b) => (a.lot < b.lot ? -1 : 1))[0].name;
  }

  const seeds = Array.from({ length: 24 }, (_, i) => `lot ${i}`);

  test("F14: of equal candidates the one with the least lot is the anchor", () => {
    const drawn = seeds.map((seed) => poorAda(seed, 3));
    expect(drawn.map(({ anchor }) => anchor)).toEqual(drawn.map(({ least }) => least));
    expect(new Set(drawn.map(({ anchor }) => anchor)).size).toBe(3);
  });

  test("exactly two thirds of the weight of S(R-2) is enough to be drawn, a third is not", () => {
    const enough = seeds.map((seed) => poorAda(seed, 2)).filter(({ least }) => least === ADA);
    const tooLittle = seeds.map((seed) => poorAda(seed, 1)).filter(({ least }) => least === ADA);
    expect(enough.length).toBeGreaterThan(2);
    expect(tooLittle.length).toBeGreaterThan(2);
    expect(enough.every(({ anchor }) => anchor === ADA)).toBe(true);
    expect(tooLittle.every(({ anchor }) => anchor !== ADA)).toBe(true);
  });

  test("F14: where nobody holds two thirds, those that hold the most are drawn from", () => {
    for (const seed of seeds) {
      const history = historyOf(NAMES, seed);
      const first = addAll(history, NAMES);
      // Every x has half of the votes or more: S(0) is all five. ada and bob hold three of them, the others two.
      const cites = [
        [0, 1, 2],
        [0, 3, 4],
        [1, 3],
        [2, 4],
      ].map((indices) => indices.map((i) => first[i]));
      const second = [ADA, BOB, CYD, DEE].map((name, i) => history.add(name, cites[i]));
      const view = history.graph.view(2, second);
      expect(view.voted()).toHaveLength(5);
      expect(names([view.anchor() as Contribution])[0]).toBe(leastLotOf(history, [ADA, BOB], 1));
    }
  });

  test("older history is the anchor's, though the other parents saw it otherwise", () => {
    for (const seed of seeds) {
      const history = historyOf([ADA, BOB], seed);
      const first = addAll(history, [ADA, BOB, CYD]);
      // ada's lineage has cyd's round 0, bob's has not; both cite both in round 2.
      const second = [history.add(ADA, first), history.add(BOB, first.slice(0, 2))];
      const third = [history.add(ADA, [second[0]]), history.add(BOB, [second[1]])];
      const view = history.graph.view(3, third);
      const anchor = view.anchor() as Contribution;
      expect(view.included(0)).toEqual(anchor.view.voted());
      expect(names(view.included(0))).toEqual(names([anchor])[0] === ADA ? [ADA, BOB, CYD] : [ADA, BOB]);
    }
  });

  test("rounds 0 and 1 have no anchor", () => {
    const history = historyOf([]);
    expect(history.graph.view(0, []).anchor()).toBeUndefined();
    expect(history.graph.view(1, [history.add(ADA)]).anchor()).toBeUndefined();
  });
});

describe("voting weight", () => {
  const steps: Record<string, number> = { ada: 1, bob: 2, cyd: 40 };

  /** Rounds 0 .. count-1 by ada, bob and cyd, who all cite all. Settles after 2. */
  function grow(count: number, weightWindow = 64): { history: History; last: Contribution[] } {
    const history = historyOf([], "weights", { settleDepth: 2, weightWindow });
    let last: Contribution[] = [];
    for (let round = 0; round < count; round++) {
      last = addAll(history, [ADA, BOB, CYD], last, (name) => ({ steps: steps[name] + round }));
    }
    return { history, last };
  }

  test("is min(tokens, median tokens), summed over settled rounds", () => {
    const { history, last } = grow(5);
    // Round 5 goes by the table of settled round 2: rounds 0 and 1. Medians: 200 and 300 tokens.
    const view = history.graph.view(5, last);
    expect([ADA, BOB, CYD, DEE].map((name) => view.weightOf(peerOf(name)))).toEqual([300, 500, 500, 0]);
    expect(view.settledRound).toBe(3);
    expect([...view.tableAt(3).values()].toSorted((a, b) => a - b)).toEqual([600, 900, 900]);
    expect(view.tableAt(0).size).toBe(0);
  });

  test("looks back on weightWindow settled rounds only", () => {
    const { history, last } = grow(6, 1);
    const view = history.graph.view(6, last);
    // Only round 2 is left of the table of settled round 3: median 400 tokens.
    expect([ADA, BOB, CYD].map((name) => view.weightOf(peerOf(name)))).toEqual([300, 400, 400]);
  });

  test("closing contributions weigh nothing", () => {
    const history = historyOf([], "closing", { settleDepth: 2 });
    let last: Contribution[] = [];
    for (let round = 0; round < 5; round++) {
      last = addAll(history, [ADA, BOB], last, (name) => ({ steps: name === BOB ? 0 : 4 }));
    }
    const view = history.graph.view(5, last);
    expect([ADA, BOB].map((name) => view.weightOf(peerOf(name)))).toEqual([800, 0]);
  });

  test("includedTokens() counts every round below R once, as weight counts them", () => {
    const { history, last } = grow(4);
    // Per round: two at the median and ada one step below it.
    expect(history.graph.view(4, last).includedTokens()).toBe(500 + 800 + 1100 + 1400);
    expect(history.graph.view(0, []).includedTokens()).toBe(0);
  });

  test("R1: settledTokens() counts the settled rounds alone: what the table of weights holds", () => {
    const { history, last } = grow(5);
    const tokens = [5, 4, 3, 2, 1, 0].map((round) => {
      const parents = round === 5 ? last : history.graph.round(round - 1);
      const view = history.graph.view(round, parents);
      const held = [...view.tableAt(view.settledRound).values()].reduce((a, b) => a + b, 0);
      expect(view.settledTokens()).toBe(held);
      return view.settledTokens();
    });
    // Settled after 2: a view of round R counts the rounds below R-2, each as in the test above.
    expect(tokens).toEqual([500 + 800 + 1100, 500 + 800, 500, 0, 0, 0]);
  });

  test("founders alone weigh until a round has settled", () => {
    const history = historyOf([BOB], "founders", { settleDepth: 2 });
    const first = addAll(history, [ADA, BOB]);
    const second = addAll(history, [ADA, BOB], first);
    const weights = (view: { weightOf(author: ReturnType<typeof peerOf>): number }): number[] =>
      [ADA, BOB].map((name) => view.weightOf(peerOf(name)));
    expect(weights(history.graph.view(2, second))).toEqual([0, 1]);
    const third = addAll(history, [ADA, BOB], second);
    const fourth = addAll(history, [ADA, BOB], third);
    expect(weights(history.graph.view(4, fourth))).toEqual([1000, 1000]);
  });
});

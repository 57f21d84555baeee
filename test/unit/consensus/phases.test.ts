/** The pure part of P3 and P5: where a phase ends, who is best, who goes on; the same on every node. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Contribution,
  type PhaseMark,
  type Seats,
  type Standing,
  type View,
  acceptedWork,
  creditLines,
  firstVoters,
  phaseEnd,
  rankAuthors,
  standingAt,
} from "../../../src/consensus/index.ts";
import type { PeerId } from "../../../src/core/index.ts";
import { digestOfText, peerOf, runOf } from "../../support/run-of.ts";
import { seedAndRounds, tameHistory } from "./random-histories.ts";
import { History } from "./support.ts";

const ROOT = digestOfText("end");
const SEATS: Seats = { seats: 2, qualifyRounds: 3, qualifySeats: 1 };
const budgets = fc.integer({ min: 1, max: 30_000 });

/** By the ledger: another fold over the same settled rounds. */
function workBelow(view: View, round: number): Map<PeerId, number> {
  const work = new Map<PeerId, number>();
  for (const { author, tokens } of creditLines(view, { perToken: 1 }, { fromRound: 0, untilRound: round })) {
    work.set(author, (work.get(author) ?? 0) + tokens);
  }
  return work;
}

const sum = (work: ReadonlyMap<PeerId, number>): number => [...work.values()].reduce((a, b) => a + b, 0);

function standing(view: View, mark: PhaseMark, seats = SEATS): Standing {
  return standingAt(view, mark, { seats, score: acceptedWork });
}

describe("phaseEnd()", () => {
  test("P3: is the first settled round whose included tokens reach the budget", () => {
    fc.assert(
      fc.property(seedAndRounds, budgets, ([seed, rounds], budget) => {
        const view = tameHistory(seed, rounds).at(-1) as View;
        const end = phaseEnd(view, budget);
        const reached = sum(workBelow(view, view.settledRound)) >= budget;
        expect(end === undefined).toBe(!reached);
        if (end === undefined) return;
        expect(sum(workBelow(view, end))).toBeGreaterThanOrEqual(budget);
        expect(sum(workBelow(view, end - 1))).toBeLessThan(budget);
      }),
    );
  });

  test("P3: once there is an end, no later round moves it", () => {
    fc.assert(
      fc.property(seedAndRounds, budgets, ([seed, rounds], budget) => {
        const ends = tameHistory(seed, rounds).map((view) => phaseEnd(view, budget));
        const first = ends.findIndex((end) => end !== undefined);
        if (first >= 0) expect(new Set(ends.slice(first)).size).toBe(1);
      }),
    );
  });
});

describe("rankAuthors()", () => {
  test("P5: more accepted work is a better rank; ties are in an order that the end's root draws", () => {
    const names = ["ada", "bob", "cyd", "dee", "eve", "fay", "gus", "hal"];
    const scores = new Map(names.map((name, i) => [peerOf(name), i < 2 ? 500 - i : 100]));
    const ranking = rankAuthors(scores, ROOT);
    expect(ranking.slice(0, 2)).toEqual([peerOf("ada"), peerOf("bob")]);
    expect(rankAuthors(new Map([...scores].toReversed()), ROOT)).toEqual(ranking);
    const other = rankAuthors(scores, digestOfText("another end"));
    expect(other.toSorted()).toEqual(ranking.toSorted());
    expect(other.slice(2)).not.toEqual(ranking.slice(2));
  });

  test("P5: accepted work is what credits count, author by author", () => {
    fc.assert(
      fc.property(seedAndRounds, ([seed, rounds]) => {
        const view = tameHistory(seed, rounds).at(-1) as View;
        const until = view.settledRound;
        expect(acceptedWork(view, { from: 0, until })).toEqual(workBelow(view, until));
      }),
    );
  });
});

describe("standingAt()", () => {
  test("P3: nobody is admitted twice or without work, never more than there are seats, and never less later", () => {
    fc.assert(
      fc.property(seedAndRounds, ([seed, rounds]) => {
        let before: Standing["admitted"] = [];
        for (const view of tameHistory(seed, rounds)) {
          const end = phaseEnd(view, 2000);
          if (end === undefined) continue;
          const { ranking, admitted, hasFreeSeats } = standing(view, { round: end, root: ROOT });
          // Whether seats are left is decided at the end, for good.
          expect(hasFreeSeats).toBe(workBelow(view, end).size < SEATS.seats);
          const authors = admitted.map(({ author }) => author);
          expect(new Set(authors).size).toBe(authors.length);
          const later = Math.floor((view.settledRound - end) / SEATS.qualifyRounds);
          expect(authors.length).toBeLessThanOrEqual(SEATS.seats + later * SEATS.qualifySeats);
          // Fewer than there are seats where fewer have worked; who qualifies later comes after them.
          const first = ranking.slice(0, SEATS.seats);
          expect(authors.slice(0, first.length)).toEqual(first);
          const work = workBelow(view, view.settledRound);
          for (const author of authors) expect(work.get(author)).toBeGreaterThan(0);
          // Who was admitted stays so, in the same order.
          expect(admitted.slice(0, before.length)).toEqual(before);
          before = admitted;
        }
      }),
    );
  });

  test("P5: the one left behind qualifies by the work it does after the end, before a newcomer who did less", () => {
    const history = new History(runOf({ seed: "climb", rule: { settleDepth: 2 } }));
    const steps: Record<string, number> = { ada: 30, bob: 20, cyd: 10 };
    let last: Contribution[] = [];
    const round = (names: readonly string[]): void => {
      last = names.map((name) => history.add(name, last, { steps: steps[name] ?? 5 }));
    };
    for (let i = 0; i < 4; i++) round(["ada", "bob", "cyd"]);
    // Medians are bob's 2000 tokens: 5000 a round.
    const view = (): View => history.graph.view((last[0]?.header.round ?? 0) + 1, last);
    const budget = 7000;
    round(["ada", "bob", "cyd"]);
    const mark = { round: phaseEnd(view(), budget) as number, root: ROOT };
    expect(mark.round).toBe(2);
    expect(standing(view(), mark).ranking.at(-1)).toBe(peerOf("cyd"));
    expect(standing(view(), mark).admitted.map(({ author }) => author)).not.toContain(peerOf("cyd"));
    for (let i = 0; i < 6; i++) round(["cyd", "dee"]);
    const { admitted } = standing(view(), mark);
    expect(admitted.map(({ author }) => author).slice(2)).toEqual([peerOf("cyd"), peerOf("dee")]);
    expect(admitted.slice(2).map(({ round: at }) => at)).toEqual([5, 8]);
  });

  test("P5: another score takes the place of accepted work without a change", () => {
    const view = tameHistory("score", 12).at(-1) as View;
    const mark = { round: 4, root: ROOT };
    const only = new Map([[peerOf("eve"), 1]]);
    const { ranking } = standingAt(view, mark, { seats: SEATS, score: () => only });
    expect(ranking).toEqual([peerOf("eve")]);
  });
});

test("P3: the next phase's first voters are the admitted, with the weight that they ended with", () => {
  const view = tameHistory("voters", 14).at(-1) as View;
  const mark = { round: phaseEnd(view, 5000) as number, root: ROOT };
  const { admitted, ...rest } = standing(view, mark);
  const voters = firstVoters(view, mark, { admitted, ...rest });
  expect([...voters.keys()]).toEqual(rest.ranking.slice(0, SEATS.seats));
  const table = view.tableAt(mark.round);
  for (const [author, weight] of voters) expect(weight).toBe(table.get(author));
});

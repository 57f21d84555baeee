/** What settled history adds up to, kept round by round, against the same counted at once. */
import { describe, expect, test } from "vitest";
import { type Contribution, type View, creditLines } from "../../../../src/consensus/index.ts";
import { contributionRows } from "../../../../src/node/watch/contributions.ts";
import { Tally } from "../../../../src/node/watch/tally.ts";
import { runOf } from "../../../support/run-of.ts";
import { History } from "../../consensus/support.ts";

const DEPTH = 3;
const NAMES = ["ada", "bob", "cyd"];

/** Everybody cites everybody; `cyd` does half the steps and is gone in every fourth round. */
function flock(rounds: number, variant = ""): { history: History; views: View[] } {
  const history = new History(runOf({ seed: "tally", rule: { settleDepth: DEPTH } }));
  const views: View[] = [];
  let last: Contribution[] = [];
  for (let round = 0; round < rounds; round++) {
    const present = NAMES.filter((name) => name !== "cyd" || round % 4 !== 3);
    last = present.map((name) => history.add(name, last, { steps: name === "cyd" ? 5 : 10, variant }));
    views.push(history.graph.view(round + 1, last));
  }
  return { history, views };
}

describe("N3 the tally of settled history", () => {
  test("is the same whether it looked after every round or once", () => {
    const { views } = flock(14);
    const often = new Tally({ perToken: 2 });
    for (const view of views) often.look(view);
    const last = views.at(-1) as View;
    const once = new Tally({ perToken: 2 });
    once.look(last);
    expect(often.curve(last)).toEqual(once.curve(last));
    expect([...often.authors]).toEqual([...once.authors]);

    const lines = [...creditLines(last, { perToken: 2 }, { fromRound: 0, untilRound: 100 })];
    const credits = [...often.authors.values()].reduce((sum, work) => sum + work.credits, 0n);
    expect(credits).toBe(lines.reduce((sum, line) => sum + line.credits, 0n));
    expect(credits).toBeGreaterThan(0n);
  });

  test("the curve goes up to the newest round, over all included tokens", () => {
    const { views } = flock(9);
    const last = views.at(-1) as View;
    const tally = new Tally(undefined);
    tally.look(last);
    const { round, tokens, lossNats } = tally.curve(last);
    expect(round).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(tokens.at(-1)).toBe(last.includedTokens());
    expect(lossNats.every((loss) => loss === 3.25)).toBe(true);
  });

  test("counts anew when another history is followed", () => {
    const one = flock(12).views.at(-1) as View;
    const other = flock(8, "other").views.at(-1) as View;
    const tally = new Tally({ perToken: 1 });
    tally.look(one);
    tally.look(other);
    const fresh = new Tally({ perToken: 1 });
    fresh.look(other);
    expect([...tally.authors]).toEqual([...fresh.authors]);
    expect(tally.curve(other)).toEqual(fresh.curve(other));
  });
});

describe("N3 contributions and their fate", () => {
  test("newest first; settled, included, arriving, or excluded with the reason", () => {
    const { history, views } = flock(7);
    const view = views.at(-1) as View;
    const [ada, bob] = history.graph.round(6) as [Contribution, Contribution];
    // Bob contradicts himself in the last round; Ada goes on to the next.
    history.add("bob", history.graph.round(5), { variant: "twice" });
    const next = history.add("ada", [ada, bob]);
    const now = history.graph.view(7, [ada]);
    const rows = contributionRows(history.graph, now);
    const fates = rows.map(({ round, fate, why }) => `${round} ${fate}${why === null ? "" : ` (${why})`}`);
    expect(rows[0]).toMatchObject({ id: next.id, round: 7, fate: "arriving" });
    expect(fates.filter((fate) => fate.startsWith("6"))).toEqual(
      expect.arrayContaining(["6 included", "6 excluded (equivocation)"]),
    );
    expect(fates.filter((fate) => fate.startsWith("0"))).toEqual(Array(3).fill("0 settled"));
    expect(contributionRows(history.graph, view).find(({ id }) => id === ada.id)?.fate).toBe("included");
  });

  test("160 rows at most", () => {
    const { history, views } = flock(80);
    const rows = contributionRows(history.graph, views.at(-1) as View);
    expect([rows.length, rows[0]?.round]).toEqual([160, 79]);
  });
});

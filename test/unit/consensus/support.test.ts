/** P6, the pure part: when a proposed successor is carried, the same for everybody. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Contribution, Support, type View, supportIn } from "../../../src/consensus/index.ts";
import { type Cid, RAW, cidOf } from "../../../src/core/index.ts";
import { runOf, textBytes } from "../../support/run-of.ts";
import { History } from "./support.ts";

const NAMES = ["ada", "bob", "cyd", "dee"];
const DEPTH = 3;
const PROPOSAL = cidOf(textBytes("proposal"), RAW);

/** Everybody works alike; `named(name, round)` is what a contribution names. Views of rounds 1, 2 ... */
function viewsOf(rounds: number, named: (name: string, round: number) => Cid | null): View[] {
  const history = new History(runOf({ seed: "support", rule: { settleDepth: DEPTH } }));
  const views: View[] = [];
  let last: Contribution[] = [];
  for (let round = 0; round < rounds; round++) {
    const parents = last;
    last = NAMES.map((name) =>
      history.add(name, parents, { change: (h) => ({ ...h, supports: named(name, round) }) }),
    );
    views.push(history.graph.view(round + 1, last));
  }
  return views;
}

const carriedAt = (view: View): number | undefined => new Support().carriedAt(view, PROPOSAL);

describe("Support", () => {
  test("P6: a proposal is carried at the end of settleDepth settled rounds in which two thirds of the weight name it", () => {
    const views = viewsOf(20, (name, round) => (round >= 5 && name !== "dee" ? PROPOSAL : null));
    const last = views.at(-1) as View;
    expect(supportIn(last, 4).size).toBe(0);
    const { weight, of } = supportIn(last, 5).get(PROPOSAL) ?? { weight: 0, of: 1 };
    expect(weight / of).toBe(3 / 4);
    expect(carriedAt(last)).toBe(5 + DEPTH);
    // Not before it has settled.
    for (const view of views)
      expect(carriedAt(view)).toBe(view.settledRound >= 5 + DEPTH ? 5 + DEPTH : undefined);
  });

  test("P6: half of the weight carries nothing, and neither do two thirds with gaps", () => {
    const half = viewsOf(20, (name) => (name === "ada" || name === "bob" ? PROPOSAL : null));
    expect(carriedAt(half.at(-1) as View)).toBeUndefined();
    const gaps = viewsOf(20, (_, round) => (round % DEPTH === 0 ? null : PROPOSAL));
    expect(carriedAt(gaps.at(-1) as View)).toBeUndefined();
  });

  test("P6: every later view says the same, and so does one that was asked all along", () => {
    const supporters = fc.array(fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), {
      minLength: 8,
      maxLength: 16,
    });
    fc.assert(
      fc.property(supporters, (rows) => {
        const views = viewsOf(rows.length, (name, round) =>
          rows[round]?.[NAMES.indexOf(name)] === true ? PROPOSAL : null,
        );
        const support = new Support();
        const all = views.map((view) => {
          const at = support.carriedAt(view, PROPOSAL);
          expect(at).toBe(carriedAt(view));
          return at;
        });
        const first = all.findIndex((at) => at !== undefined);
        if (first >= 0) expect(new Set(all.slice(first)).size).toBe(1);
      }),
      { numRuns: 12 },
    );
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Contribution,
  type CreditLine,
  settledRoundAt,
  type View,
  creditLines,
  creditRuleSchema,
  trainedRound,
} from "../../../src/consensus/index.ts";
import { peerOf, runOf } from "../../support/run-of.ts";
import { seedAndRounds, tameHistory, wildHistory } from "./random-histories.ts";
import { History } from "./support.ts";

/** All that a view has settled. */
function minted(view: View, perToken = 1): CreditLine[] {
  return [...creditLines(view, { perToken }, { fromRound: 0, untilRound: Number.MAX_SAFE_INTEGER })];
}

/** By hand: the least tokens that half of the voting weight of those who trained does not exceed, and nobody above it. */
function slowLines(view: View, perToken: number): string[] {
  const lines: string[] = [];
  for (let round = 0; round < view.settledRound; round++) {
    const trained = view.included(round).filter(({ header }) => header.work.steps > 0);
    const table = view.tableAt(settledRoundAt(round, view.context.rule));
    const known = trained.filter(({ header }) => table.has(header.author));
    const weigh = (some: readonly Contribution[]): number =>
      some.reduce((sum, { header }) => sum + (known.length === 0 ? 1 : (table.get(header.author) ?? 0)), 0);
    const isHalf = (tokens: number): boolean =>
      2 * weigh(trained.filter(({ header }) => header.work.tokens <= tokens)) >= weigh(trained);
    const median = Math.min(...trained.map(({ header }) => header.work.tokens).filter(isHalf));
    for (const { id, header } of trained) {
      const counted = header.work.tokens < median ? header.work.tokens : median;
      lines.push(`${round} ${id} ${header.author} ${BigInt(counted) * BigInt(perToken)}`);
    }
  }
  return lines;
}

const shown = (lines: readonly CreditLine[]): string[] =>
  lines.map((line) => `${line.round} ${line.contribution} ${line.author} ${line.credits}`);

describe("creditLines()", () => {
  test("R9 mints perToken for every token that counts: no more than the median of the round's tokens", () => {
    const history = new History(runOf({ seed: "mint", rule: { settleDepth: 2 } }));
    const steps: Record<string, number> = { ada: 1, bob: 2, cyd: 40 };
    let last: Contribution[] = [];
    for (let round = 0; round < 4; round++) {
      last = ["ada", "bob", "cyd"].map((name) => history.add(name, last, { steps: steps[name] + round }));
    }
    // Two rounds have settled; tokens are 100 a step, and the medians are bob's.
    const lines = minted(history.graph.view(4, last), 7);
    const of = (name: string): bigint[] =>
      lines.filter(({ author }) => author === peerOf(name)).map(({ credits }) => credits);
    expect([of("ada"), of("bob"), of("cyd")]).toEqual([
      [700n, 1400n],
      [1400n, 2100n],
      [1400n, 2100n],
    ]);
    expect(lines.map(({ round }) => round)).toEqual([0, 0, 0, 1, 1, 1]);
    expect(lines.map(({ tokens }) => tokens).reduce((a, b) => a + b)).toBe(100 + 200 + 200 + 200 + 300 + 300);
  });

  test("R9 in any history: the same as counted by hand, for settled rounds only, in exact integers", () => {
    fc.assert(
      fc.property(
        seedAndRounds,
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        ([seed, rounds], perToken) => {
          for (const view of wildHistory(seed, rounds))
            expect(shown(minted(view, perToken))).toEqual(slowLines(view, perToken));
        },
      ),
      { numRuns: 40 },
    );
  });

  test("R9 an author's credits are its voting weight, where that looks back on everything", () => {
    fc.assert(
      fc.property(seedAndRounds, ([seed, rounds]) => {
        const view = tameHistory(seed, rounds).at(-1)!;
        const sums = new Map<string, number>();
        for (const { author, credits } of minted(view))
          sums.set(author, (sums.get(author) ?? 0) + Number(credits));
        expect(sums).toEqual(new Map(view.tableAt(view.settledRound)));
      }),
      { numRuns: 40 },
    );
  });

  test("R9 what has been minted stays as it is while history grows", () => {
    fc.assert(
      fc.property(seedAndRounds, ([seed, rounds]) => {
        let before: string[] = [];
        for (const view of tameHistory(seed, rounds)) {
          const now = shown(minted(view));
          expect(now.slice(0, before.length)).toEqual(before);
          before = now;
        }
      }),
      { numRuns: 30 },
    );
  });

  test("R9 who contradicts itself, is not included or only closes earns nothing", () => {
    const history = new History(runOf({ seed: "nothing", rule: { settleDepth: 2 } }));
    const [a0, b0, c0] = ["ada", "bob", "cyd"].map((name) => history.add(name));
    const two = ["one", "two"].map((variant) => history.add("dee", [], { variant }));
    const closing = history.add("eve", [], { steps: 0 });
    // cyd is cited by one of three, dee twice by two of them.
    const cited = [
      [a0, b0, closing, ...two],
      [a0, b0, closing, ...two],
      [a0, b0, c0],
    ];
    const second = ["ada", "bob", "cyd"].map((name, i) => history.add(name, cited[i]));
    const third = ["ada", "bob", "cyd"].map((name) => history.add(name, second));
    const lines = minted(history.graph.view(3, third));
    expect(lines.map(({ contribution }) => contribution)).toEqual([a0.id, b0.id].toSorted());
  });

  test("a range gives those rounds, and nothing that has not settled", () => {
    const view = wildHistory("range", 14).at(-1)!;
    const all = minted(view);
    const part = [...creditLines(view, { perToken: 1 }, { fromRound: 2, untilRound: 4 })];
    expect(part).toEqual(all.filter(({ round }) => round === 2 || round === 3));
    expect(part.length).toBeGreaterThan(0);
    expect(all.every(({ round }) => round < view.settledRound)).toBe(true);
  });
});

describe("trainedRound()", () => {
  test("R9 leaves out the closing rounds at the end, however many a node has seen", () => {
    const history = new History(runOf({ seed: "closing", rule: { settleDepth: 2 } }));
    let last: Contribution[] = [];
    const rounds: number[] = [];
    for (let round = 0; round < 10; round++) {
      last = ["ada", "bob"].map((name) => history.add(name, last, { steps: round < 4 ? 3 : 0 }));
      rounds.push(trainedRound(history.graph.view(round + 1, last)));
    }
    // Views of rounds 1 .. 10; the last trained round, 3, settles in the view of round 6.
    expect(rounds).toEqual([0, 0, 1, 2, 3, 4, 4, 4, 4, 4]);
  });
});

test.each([[0], [-1], [0.5], [2 ** 53], ["1"]])("a rule of %j credits per token is refused", (perToken) => {
  expect(creditRuleSchema.safeParse({ perToken }).success).toBe(false);
});

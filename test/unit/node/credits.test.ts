import { expect, test } from "vitest";
import type { Contribution } from "../../../src/consensus/index.ts";
import { collectCredits, creditsByAuthor, creditsPage } from "../../../src/node/credits/credits.ts";
import { DAG_CBOR, cidOf } from "../../../src/core/index.ts";
import { type Manifest, type Phase, draftManifest } from "../../../src/node/index.ts";
import { peerOf, runIdOf, runOf } from "../../support/run-of.ts";
import { History } from "../consensus/support.ts";

const run = runIdOf("pages");

/** Of one phase, with this rule. */
function manifestOf(credits?: Phase["credits"]): Manifest {
  const draft = draftManifest(
    { preset: "tiny", name: "pages" },
    { data: [cidOf(new Uint8Array(1), DAG_CBOR)] },
  );
  const phases = draft.phases.map((phase) => ({ ...phase, credits }));
  // Absent rather than undefined.
  return { ...draft, phases } as Manifest;
}

const manifest = manifestOf({ perToken: 5 });

function historyOf(rounds: number): Contribution["view"] {
  const history = new History(runOf({ seed: "pages", rule: { settleDepth: 2 } }));
  let last: Contribution[] = [];
  for (let round = 0; round < rounds; round++) {
    const names = ["ada", "bob", "cyd"].slice(round % 3);
    last = names.map((name, i) => history.add(name, last, { steps: 3 - i }));
  }
  return history.graph.view(rounds, last);
}

test("R9 pages of any size make up the same credits, and end between two rounds", async () => {
  const view = historyOf(12);
  const whole = creditsPage({ run, manifest, views: [view] }, 0);
  expect(whole).toMatchObject({ rounds: 10, nextRound: null });
  expect(whole.lines.length).toBe(21);
  for (const pageLines of [1, 2, 3, 5, 20, 21]) {
    let pages = 0;
    const credits = await collectCredits((fromRound) => {
      pages += 1;
      const page = creditsPage({ run, manifest, views: [view] }, fromRound, pageLines);
      expect(page.lines.every(({ round }) => round >= fromRound && round < (page.nextRound ?? 10))).toBe(
        true,
      );
      return page;
    });
    expect(credits.lines).toEqual(whole.lines);
    expect(pages).toBeGreaterThanOrEqual(Math.floor(21 / (pageLines + 2)));
  }
});

test("R9 sums per author, most credits first", () => {
  const sums = creditsByAuthor(creditsPage({ run, manifest, views: [historyOf(5)] }, 0));
  // Rounds 0, 1, 2 have settled: three authors of 3, 2, 1 steps; then two of 3 and 2; then one of 3. Medians 2, 2, 3.
  const of = (name: string, contributionsCount: number, tokens: number): unknown => ({
    author: peerOf(name),
    contributionsCount,
    tokens,
    credits: String(5 * tokens),
  });
  expect(sums).toEqual([of("cyd", 3, 600), of("bob", 2, 400), of("ada", 1, 200)]);
});

test("R9 before there is history nothing is minted; without a rule in the manifest nothing ever is", () => {
  expect(creditsPage({ run, manifest, views: [] }, 0)).toMatchObject({
    rounds: 0,
    lines: [],
    nextRound: null,
  });
  expect(() => creditsPage({ run, manifest: manifestOf(), views: [historyOf(5)] }, 0)).toThrow(
    /expected a credit rule/,
  );
});

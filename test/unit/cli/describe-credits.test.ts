import { expect, test } from "vitest";
import { creditsReport, describeCredits } from "../../../src/cli/describe-credits.ts";
import type { ContributionId } from "../../../src/core/index.ts";
import type { Credit, Payout } from "../../../src/node/index.ts";
import { peerOf, runIdOf } from "../../support/run-of.ts";

const [ada, bob] = [peerOf("ada"), peerOf("bob")];
const run = runIdOf("run");
const lineOf = (author: Credit["author"], round: number, tokens: number): Credit => ({
  contribution: `c-${round}` as ContributionId,
  author,
  phase: 0,
  round,
  tokens,
  credits: `${tokens}000000000000000`,
});
const credits = {
  run,
  phases: [{ phase: 0, rounds: 7, perToken: 1e15 }],
  rounds: 7,
  lines: [lineOf(ada, 0, 10), lineOf(bob, 1, 50), lineOf(ada, 2, 20)],
};
const address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed" as Payout["address"];
const payouts = new Map([[bob, { v: 1, run, author: bob, address, sequence: 1, sig: "" } as const]]);

/** Cells of the rows of all tables in a text. */
const rows = (text: string): string[][] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("│"))
    .map((line) =>
      line
        .split("│")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

test("R9 the report has one row per author, in whole credits however many, with the address that is paid", () => {
  const text = describeCredits(creditsReport(credits, payouts));
  expect(text).toContain(`run       ${run}\nminted    80000000000000000 credits in 7 settled rounds`);
  expect(rows(text)).toEqual([
    ["author", "contributions", "tokens", "credits", "paid to"],
    [bob, "1", "50", "50000000000000000", address],
    [ada, "2", "30", "30000000000000000", "–"],
  ]);
});

test("R9 one author's report has a row for each contribution", () => {
  const report = creditsReport(credits, payouts, ada);
  expect(report).toMatchObject({ total: "80000000000000000", author: ada });
  expect(rows(describeCredits(report)).slice(2)).toEqual([
    ["contribution", "phase", "round", "tokens", "credits"],
    ["c-0", "0", "0", "10", "10000000000000000"],
    ["c-2", "0", "2", "20", "20000000000000000"],
  ]);
});

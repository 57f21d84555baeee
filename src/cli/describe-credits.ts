/** Credits for a person and for scripts: `starling credits`. */
import Table from "cli-table3";
import {
  type Address,
  type AuthorCredits,
  type Credit,
  type Credits,
  type Payout,
  type PhaseCredits,
  creditsByAuthor,
} from "../node/index.ts";
import { UNKNOWN } from "./format.ts";

/** What `--json` prints. */
export interface CreditsReport {
  readonly run: string;
  readonly phases: readonly PhaseCredits[];
  /** Settled rounds that are counted, of all phases. */
  readonly rounds: number;
  /** Of all authors, whoever is asked for. */
  readonly total: string;
  readonly authors: readonly (AuthorCredits & { readonly address: Address | null })[];
  readonly lines: readonly Credit[];
  readonly author: string | null;
}

/** `author`: show only this one's. */
export function creditsReport(
  credits: Credits,
  payouts: ReadonlyMap<string, Payout>,
  author?: string,
): CreditsReport {
  const { run, phases, rounds, lines } = credits;
  const isShown = (entry: { readonly author: string }): boolean =>
    author === undefined || entry.author === author;
  const sums = creditsByAuthor(credits);
  return {
    run,
    phases,
    rounds,
    total: String(sums.reduce((total, sum) => total + BigInt(sum.credits), 0n)),
    authors: sums
      .filter(isShown)
      .map((sum) => ({ ...sum, address: payouts.get(sum.author)?.address ?? null })),
    lines: lines.filter(isShown),
    author: author ?? null,
  };
}

/** One line per author; with one author asked for, one line per contribution after it. */
export function describeCredits(report: CreditsReport): string {
  const { run, rounds, total, phases, authors, lines, author } = report;
  const rates = [...new Set(phases.map(({ perToken }) => perToken))].join(" or ") || "none";
  const head = `run       ${run}\nminted    ${total} credits in ${rounds} settled rounds, ${rates} per counted token\n\n`;
  const sums = tableOf(
    ["author", "contributions", "tokens", "credits", "paid to"],
    authors.map((a) => [a.author, a.contributionsCount, a.tokens, a.credits, a.address ?? UNKNOWN]),
  );
  if (author === null) return head + sums;
  const each = lines.map((line) => [line.contribution, line.phase, line.round, line.tokens, line.credits]);
  return `${head}${sums}\n${tableOf(["contribution", "phase", "round", "tokens", "credits"], each)}`;
}

/** Numbers to the right, what comes first to the left. */
function tableOf(head: readonly string[], rows: readonly (string | number)[][]): string {
  const table = new Table({
    head: [...head],
    style: { head: [], border: [], compact: true },
    colAligns: head.map((_, column) => (column === 0 ? "left" : "right")),
  });
  table.push(...rows);
  return `${table.toString()}\n`;
}

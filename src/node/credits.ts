/** What a node says of credits: pages of lines from a running one, the same lines from a folder. */
import { type CreditRule, type View, creditLines, trainedRound } from "../consensus/index.ts";
import {
  type ContributionId,
  type Logger,
  type PeerId,
  type RunId,
  StarlingError,
  assert,
} from "../core/index.ts";
import { partialHistory } from "./join/whole-history.ts";
import { readHistory } from "./history.ts";
import { decodeManifest, phaseOf } from "./manifest.ts";
import { withFolder } from "./offline.ts";

/** What one contribution earned; `credits` is a whole number in decimal, since JSON has no large ones. */
export interface Credit {
  readonly contribution: ContributionId;
  readonly author: PeerId;
  readonly phase: number;
  readonly round: number;
  /** As counted, not as claimed. */
  readonly tokens: number;
  readonly credits: string;
}

/** Everything that was minted below a settled round. */
export interface Credits {
  readonly run: RunId;
  readonly perToken: number;
  /** Settled rounds that are counted. */
  readonly rounds: number;
  /** By round, then by contribution id. */
  readonly lines: readonly Credit[];
}

/** A part of it; `nextRound`: where the next part begins, null after the last. */
export interface CreditsPage extends Credits {
  readonly nextRound: number | null;
}

/** Lines of one page, but for those of its last round: an answer of the control socket must end somewhere. Guess: 6 MB. */
const PAGE_LINES = 20_000;

export interface CreditsSource {
  readonly run: RunId;
  readonly rule: CreditRule | undefined;
  /** Undefined before there is any history. */
  readonly view: View | undefined;
}

/** @throws StarlingError `CREDITS_NONE` when the manifest has no credit rule, `HISTORY_PARTIAL` at who joined late */
export function creditsPage(
  { run, rule, view }: CreditsSource,
  fromRound: number,
  pageLines: number = PAGE_LINES,
): CreditsPage {
  if (rule === undefined) {
    throw new StarlingError(
      "CREDITS_NONE",
      `expected a credit rule in the manifest of run ${run}, got none: its work earns no credits`,
    );
  }
  const { perToken } = rule;
  const base = view?.context.base;
  if (base !== undefined) throw partialHistory(base.round);
  if (view === undefined) return { run, perToken, rounds: 0, lines: [], nextRound: null };
  const rounds = trainedRound(view);
  const lines: Credit[] = [];
  let nextRound: number | null = null;
  for (const line of creditLines(view, rule, { fromRound, untilRound: rounds })) {
    if (lines.length >= pageLines && lines.at(-1)?.round !== line.round) {
      nextRound = line.round;
      break;
    }
    lines.push({ ...line, credits: String(line.credits) });
  }
  return { run, perToken, rounds, lines, nextRound };
}

/** All pages as one. What settles meanwhile is left for the next time: the first page says how far it goes. */
export async function collectCredits(
  page: (fromRound: number) => Promise<CreditsPage> | CreditsPage,
): Promise<Credits> {
  const first = await page(0);
  const { run, perToken, rounds } = first;
  const lines = [...first.lines];
  for (let at = first.nextRound; at !== null && at < rounds;) {
    const next = await page(at);
    assert(next.nextRound === null || next.nextRound > at, "every page goes on");
    for (const line of next.lines) if (line.round < rounds) lines.push(line);
    at = next.nextRound;
  }
  return { run, perToken, rounds, lines };
}

/**
 * The same as of an earlier settled round, which others may have reached too.
 * @throws StarlingError `CREDITS_NOT_SETTLED`
 */
export function creditsAsOf(credits: Credits, rounds: number): Credits {
  if (rounds <= credits.rounds) {
    return { ...credits, rounds, lines: credits.lines.filter(({ round }) => round < rounds) };
  }
  throw new StarlingError(
    "CREDITS_NOT_SETTLED",
    `expected at most ${credits.rounds} rounds, which have settled, got ${rounds}; wait, or ask for fewer`,
  );
}

export interface AuthorCredits {
  readonly author: PeerId;
  readonly contributionsCount: number;
  readonly tokens: number;
  readonly credits: string;
}

/** Sums per author; most credits first, then by peer id. */
export function creditsByAuthor({ lines }: Credits): AuthorCredits[] {
  const sums = new Map<PeerId, { contributionsCount: number; tokens: number; credits: bigint }>();
  for (const { author, tokens, credits } of lines) {
    const sum = sums.get(author) ?? { contributionsCount: 0, tokens: 0, credits: 0n };
    sum.contributionsCount += 1;
    sum.tokens += tokens;
    sum.credits += BigInt(credits);
    sums.set(author, sum);
  }
  return [...sums]
    .sort(([a, x], [b, y]) => (x.credits === y.credits ? (a < b ? -1 : 1) : x.credits > y.credits ? -1 : 1))
    .map(([author, sum]) => ({ author, ...sum, credits: String(sum.credits) }));
}

/**
 * What the folder's own headers show.
 * @throws StarlingError `CREDITS_NONE`, `DATA_DIR_EMPTY`
 */
export async function readOfflineCredits(dataDir: string, log: Logger): Promise<Credits> {
  return withFolder(dataDir, log, async ({ store, run }) => {
    const block = await store.blocks.get(run);
    if (block === undefined) {
      const message = `expected the manifest of run ${run} in ${dataDir}, got none yet: let the node run until it has joined`;
      throw new StarlingError("MANIFEST_MISSING", message);
    }
    const manifest = decodeManifest(block);
    const rule = phaseOf(manifest, PHASE).credits;
    const view = await readHistory(store, { run, manifest, phase: PHASE });
    return collectCredits((fromRound) => creditsPage({ run, rule, view }, fromRound));
  });
}

/** One per run today. */
const PHASE = 0;

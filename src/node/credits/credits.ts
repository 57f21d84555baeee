/** What a node says of credits: pages of lines from a running one, the same lines from a folder. */
import { type CreditLine, type View, creditLines, endRound } from "../../consensus/index.ts";
import {
  type ContributionId,
  type Logger,
  type PeerId,
  type RunId,
  StarlingError,
  assert,
} from "../../core/index.ts";
import { partialHistory } from "../join/whole-history.ts";
import { readHistory } from "../offline/history.ts";
import { type Manifest, decodeManifest, limitsOf } from "../run/manifest.ts";
import { withFolder } from "../offline/offline.ts";

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

/** What a phase mints, as far as it has settled. */
export interface PhaseCredits {
  readonly phase: number;
  /** Settled rounds that are counted: up to the phase's end, however long it goes on for ranking. */
  readonly rounds: number;
  /** 0: its work earns nothing. */
  readonly perToken: number;
}

/** Everything that was minted below a settled round. */
export interface Credits {
  readonly run: RunId;
  /** From the first. */
  readonly phases: readonly PhaseCredits[];
  /** Settled rounds that are counted, one phase after the other. */
  readonly rounds: number;
  /** By phase, then by round, then by contribution id. */
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
  readonly manifest: Manifest;
  /** Of every phase that was gone through, from the first. */
  readonly views: readonly View[];
}

/**
 * `fromRound`: counted through all phases.
 * @throws StarlingError `CREDITS_NONE` when the manifest has no credit rule, `HISTORY_PARTIAL` at who joined late
 */
export function creditsPage(
  { run, manifest, views }: CreditsSource,
  fromRound: number,
  pageLines: number = PAGE_LINES,
): CreditsPage {
  if (!hasCredits(manifest)) {
    throw new StarlingError(
      "CREDITS_NONE",
      `expected a credit rule in the manifest of run ${run}, got none: its work earns no credits`,
    );
  }
  const base = views[0]?.context.base;
  if (base !== undefined) throw partialHistory(base.round);
  const phases = views.map((view, phase) => ({
    phase,
    rounds: endRound(view, limitsOf(manifest, phase)),
    perToken: manifest.phases[phase]?.credits?.perToken ?? 0,
  }));
  const rounds = phases.reduce((sum, phase) => sum + phase.rounds, 0);
  const lines: Credit[] = [];
  let nextRound: number | null = null;
  for (const { at, line } of linesFrom(views, phases, fromRound)) {
    const last = lines.at(-1);
    if (lines.length >= pageLines && (last?.round !== line.round || last.phase !== line.phase)) {
      nextRound = at;
      break;
    }
    lines.push({ ...line, credits: String(line.credits) });
  }
  return { run, phases, rounds, lines, nextRound };
}

/** Whether work of any phase earns anything. */
function hasCredits({ phases }: Manifest): boolean {
  return phases.some(({ credits }) => credits !== undefined);
}

/** `at`: the line's round, counted through all phases. */
function* linesFrom(
  views: readonly View[],
  phases: readonly PhaseCredits[],
  fromRound: number,
): Generator<{ at: number; line: CreditLine }> {
  let below = 0;
  for (const { phase, rounds, perToken } of phases) {
    const range = { fromRound: Math.max(0, fromRound - below), untilRound: rounds };
    const view = views[phase];
    if (view !== undefined && perToken > 0)
      for (const line of creditLines(view, { perToken }, range)) yield { at: below + line.round, line };
    below += rounds;
  }
}

/** All pages as one. What settles meanwhile is left for the next time: the first page says how far it goes. */
export async function collectCredits(
  page: (fromRound: number) => Promise<CreditsPage> | CreditsPage,
): Promise<Credits> {
  const { nextRound, ...first } = await page(0);
  const lines = [...first.lines];
  for (let at = nextRound; at !== null && at < first.rounds;) {
    const next = await page(at);
    assert(next.nextRound === null || next.nextRound > at, "every page goes on");
    lines.push(...next.lines.filter((line) => isCounted(line, first.phases)));
    at = next.nextRound;
  }
  return { ...first, lines };
}

/**
 * The same as of an earlier settled round, counted through all phases, which others may have reached too.
 * @throws StarlingError `CREDITS_NOT_SETTLED`
 */
export function creditsAsOf(credits: Credits, rounds: number): Credits {
  if (rounds > credits.rounds) {
    throw new StarlingError(
      "CREDITS_NOT_SETTLED",
      `expected at most ${credits.rounds} rounds, which have settled, got ${rounds}; wait, or ask for fewer`,
    );
  }
  let left = rounds;
  const phases = credits.phases.map((phase) => {
    const counted = Math.min(left, phase.rounds);
    left -= counted;
    return { ...phase, rounds: counted };
  });
  return { ...credits, phases, rounds, lines: credits.lines.filter((line) => isCounted(line, phases)) };
}

function isCounted({ phase, round }: Credit, phases: readonly PhaseCredits[]): boolean {
  return round < (phases[phase]?.rounds ?? 0);
}

/** Whom a model card names; nobody where the manifest has no credit rule, or where not all of history is here. */
export function contributorsOf(source: CreditsSource): AuthorCredits[] {
  const isWhole = source.views[0]?.context.base === undefined;
  return isWhole && hasCredits(source.manifest) ? creditsByAuthor(creditsPage(source, 0, Infinity)) : [];
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
    const views = await readHistory(store, { run, manifest });
    return collectCredits((fromRound) => creditsPage({ run, manifest, views }, fromRound));
  });
}

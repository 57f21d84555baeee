/**
 * The accounts of a settled round: accepted work so far, and what voting weight is made of.
 *
 *   weight of a at T = sum over r in [T - weightWindow, T) of counted_r(a),
 *                      without the rounds up to the last one r' < T whose included contributions prove a's equivocation
 *
 * They reach settleDepth + 1 rounds further back than weight does, so that whoever starts from a settled state can tell the
 * weights that the rounds just before it went by.
 */
import { z } from "zod";
import { type PeerId, assert } from "../core/index.ts";
import type { Rule } from "./rule.ts";
import type { WeightTable } from "./weights.ts";

/** What one settled round adds. */
export interface RoundWork {
  readonly counted: WeightTable;
  /** Whose work up to this round is void, sorted. */
  readonly voided: readonly PeerId[];
}

export interface Accounts {
  /** Counted tokens of all rounds. */
  readonly tokens: number;
  /** The last rounds', the newest last. */
  readonly work: readonly RoundWork[];
  readonly table: WeightTable;
}

export const NO_ACCOUNTS: Accounts = { tokens: 0, work: [], table: new Map() };

type Window = Pick<Rule, "weightWindow" | "settleDepth">;

/** The accounts one settled round later. */
export function extendAccounts(before: Accounts, entering: RoundWork, rule: Window): Accounts {
  const { weightWindow, settleDepth } = rule;
  const table = new Map(before.table);
  const firstAt = before.work.length - weightWindow;
  const leaving = before.work[firstAt];
  if (leaving !== undefined) {
    const voided = voidedSince(before.work, firstAt);
    for (const [author, tokens] of leaving.counted) if (!voided.has(author)) add(table, author, -tokens);
  }
  for (const [author, tokens] of entering.counted) add(table, author, tokens);
  for (const author of entering.voided) table.delete(author);
  let tokens = before.tokens;
  for (const counted of entering.counted.values()) tokens += counted;
  return { tokens, work: [...before.work, entering].slice(-(weightWindow + settleDepth + 1)), table };
}

/** The table so many rounds earlier: at most settleDepth + 1. */
export function tableBefore({ work }: Accounts, rounds: number, rule: Window): WeightTable {
  return tableOf(work.slice(0, Math.max(0, work.length - rounds)), rule);
}

/** Voting weights, added up anew from the work of the rounds before. */
function tableOf(work: readonly RoundWork[], { weightWindow }: Window): WeightTable {
  const table = new Map<PeerId, number>();
  for (const { counted, voided } of work.slice(-weightWindow)) {
    for (const [author, tokens] of counted) add(table, author, tokens);
    for (const author of voided) table.delete(author);
  }
  return table;
}

function add(table: Map<PeerId, number>, author: PeerId, tokens: number): void {
  const sum = (table.get(author) ?? 0) + tokens;
  assert(sum >= 0, "no more work leaves the window than came in");
  if (sum > 0) table.set(author, sum);
  else table.delete(author);
}

function voidedSince(work: readonly RoundWork[], from: number): ReadonlySet<PeerId> {
  const voided = new Set<PeerId>();
  for (let i = from; i < work.length; i++)
    for (const author of (work[i] as RoundWork).voided) voided.add(author);
  return voided;
}

/** As it is stored and sent. */
export interface AccountsRecord {
  readonly tokens: number;
  readonly work: readonly {
    readonly counted: Readonly<Record<string, number>>;
    readonly voided: readonly string[];
  }[];
}

/** Bounds are the rule's own: more rounds than this, or more authors in one, no rule allows. */
export const accountsRecordSchema: z.ZodType<AccountsRecord> = z.strictObject({
  tokens: z.int().min(0),
  work: z
    .array(
      z.strictObject({
        counted: z.record(z.string(), z.int().min(0)),
        voided: z.array(z.string()).max(1024 * 8),
      }),
    )
    .max(4096 + 256 + 1),
});

export function recordOfAccounts({ tokens, work }: Accounts): AccountsRecord {
  return {
    tokens,
    work: work.map(({ counted, voided }) => ({ counted: Object.fromEntries(counted), voided })),
  };
}

export function accountsOfRecord(record: AccountsRecord, rule: Window): Accounts {
  const work = record.work.map(({ counted, voided }) => ({
    counted: new Map(Object.entries(counted) as [PeerId, number][]),
    voided: voided as readonly PeerId[],
  }));
  return { tokens: record.tokens, work, table: tableOf(work, rule) };
}

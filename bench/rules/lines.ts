/** What the grids' lines are made of: sizes, seeds, and the codec's settings. */
import type { RuleName, RuleOptions, Settings, Stage } from "./settings.ts";

/** A line of a table: the same settings over several seeds. */
export interface Line {
  readonly name: string;
  readonly rows: readonly Settings[];
}

const SEEDS = [1, 2, 3];
export const PEERS = 4;

export type Scale = Pick<Settings, "model" | "stepsPerNode" | "stepsPerRound" | "warmSteps">;

export const SHORT: Scale = { model: "small", stepsPerNode: 200, stepsPerRound: 10 };
export const MIDDLE: Scale = { model: "small", stepsPerNode: 500, stepsPerRound: 10 };
/** The length at which the aims are stated; their size, 1M to 3M parameters, takes ten times as long. */
export const LONG: Scale = { model: "small", stepsPerNode: 2000, stepsPerRound: 20 };

export function line(name: string, rule: RuleName, scale: Scale, more: Partial<Settings> = {}): Line {
  return {
    name,
    rows: SEEDS.map((seed) => ({ rule, ...scale, peersCount: PEERS, seed, ...more })),
  };
}

/** The same of the first seed alone. */
export function firstSeed({ name, rows }: Line): Line {
  return { name, rows: rows.slice(0, 1) };
}

/** More is kept for the last share of the rounds. */
export interface Last {
  readonly share: number;
  readonly keepPerChunk: number;
}

/** In two bits. */
export function sparse(keepPerChunk: number, last?: Last): Pick<RuleOptions, "codec"> {
  const first: Stage = { fromShare: 0, keepPerChunk, valueBits: 2 };
  if (last === undefined) return { codec: [first] };
  return { codec: [first, { ...first, fromShare: 1 - last.share, keepPerChunk: last.keepPerChunk }] };
}

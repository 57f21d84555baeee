/** One measurement, fully described: the same settings give the same row, so a row is stored under their hash. */
import { digestOf } from "../../src/core/index.ts";
import type { CodecSettings } from "../../src/codec/index.ts";
import type { AttackName } from "./attacks.ts";

export const RULE_NAMES = [
  "alone",
  "local",
  "synchronous",
  "average",
  "diloco",
  "sparseloco",
  "noloco",
  "starling",
] as const;
export type RuleName = (typeof RULE_NAMES)[number];

export type ModelName = "small" | "flight";

/** A stage of Starling's codec from a share (0..1) of the run's rounds on. */
export interface Stage extends CodecSettings {
  readonly fromShare: number;
}

/** What only some rules read; each has its default where it is read, with its source. */
export interface RuleOptions {
  /** Scale of the averaged delta. */
  readonly outerRate?: number;
  /** Nesterov momentum of the outer step (diloco, noloco). */
  readonly outerMomentum?: number;
  /** Share of the residual that is kept from round to round (sparseloco, starling). */
  readonly residualBeta?: number;
  /** Share of its own residual that a peer trains on top of, rather than from the shared weights alone (starling). */
  readonly residualInStart?: number;
  /** Kept of each chunk of 4096 (sparseloco). */
  readonly keepPerChunk?: number;
  /** Starling's codec over the run. */
  readonly codec?: readonly Stage[];
  /** What a delta must pass before honest peers cite it (starling); none: everything is cited. */
  readonly gates?: readonly GateName[];
}

/** The node's own. */
export const GATE_NAMES = ["cosine", "copy"] as const;
export type GateName = (typeof GATE_NAMES)[number];

/** Who is there, and how fast. Left out: everybody, always, alike. */
export interface Attendance {
  /** Share of the peers, drawn anew each round, that neither train nor are heard in it. */
  readonly dropShare?: number;
  /** The fastest peer does this many times the steps of the slowest, evenly between; the mean stays the same. */
  readonly speedRatio?: number;
  /** Peers (the last ones by number) that are there only from half of the rounds on. */
  readonly lateCount?: number;
  /** Peers (the first ones by number) that leave after half of the rounds. */
  readonly earlyCount?: number;
}

export interface Settings {
  readonly rule: RuleName;
  readonly model: ModelName;
  readonly peersCount: number;
  readonly seed: number;
  readonly stepsPerNode: number;
  /** Steps that one learner took before, and everybody goes on from; they are in no count. Left out: none. */
  readonly warmSteps?: number;
  /** H: inner steps between two exchanges. */
  readonly stepsPerRound: number;
  readonly options?: RuleOptions;
  readonly attendance?: Attendance;
  readonly attack?: AttackName;
  /** How many of the peers attack: the last ones by number. */
  readonly attackersCount?: number;
}

/** Raised when the same settings would give other numbers; old rows are then measured again. */
const HARNESS_VERSION = 1;

/** The name of the row that these settings have. */
export function hashOf(settings: Settings): string {
  return digestOf(new TextEncoder().encode(canonical({ HARNESS_VERSION, ...settings }))).slice(0, 16);
}

/** JSON with sorted keys and without undefined values. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, v]) => `${JSON.stringify(key)}:${canonical(v)}`).join()}}`;
}

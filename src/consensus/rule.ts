/** The part of the manifest that decides who is included and how deltas are averaged. */
import { z } from "zod";
import type { PeerId } from "../core/index.ts";

export interface Rule {
  /** Rounds after which the included set no longer moves. 8 among known parties, 16 where a third may be hostile (docs/design.md). */
  readonly settleDepth: number;
  /** The most parents that one contribution may cite; one phase is designed for about 64 (docs/design.md, scale). */
  readonly membersMax: number;
  /** Distinct authors that round 0 waits for. Only the very first round needs it; later ones go by voting weight. */
  readonly startPeers: number;
  /** Outer learning rate in 2^-20 units; 2^20 is plain averaging, which beat Nesterov at short rounds (docs/log.md). */
  readonly outerRate: number;
  /** After two thirds of the weight is in, wait this share of the last training time for the rest. From: docs/design.md, 5 %. */
  readonly graceShare: number;
  /** Without two thirds of the weight, go on after this share of the last round's time, or training's. Guess. */
  readonly patienceShare: number;
  /** Settled rounds that voting weight looks back on. From: docs/design.md. */
  readonly weightWindow: number;
}

export const ruleSchema: z.ZodType<Rule> = z.strictObject({
  settleDepth: z.int().min(2).max(256).default(8),
  membersMax: z.int().min(1).max(1024).default(64),
  startPeers: z.int().min(1).max(1024).default(1),
  outerRate: z
    .int()
    .min(1)
    .max(2 ** 20)
    .default(2 ** 20),
  graceShare: z.number().min(0).max(1).default(0.05),
  patienceShare: z.number().min(0).max(100).default(3),
  weightWindow: z.int().min(1).max(4096).default(64),
});

/** What the rule needs to know of one phase, apart from the rule's own numbers. */
export interface PhaseLimits {
  readonly phase: number;
  /** The phase ends when its included tokens reach this. */
  readonly tokensBudget: number;
  /** Tokens of one inner step. */
  readonly tokensPerStep: number;
  readonly stepsMax: number;
  /** The most bytes a delta of this phase can have, under any settings of its schedule. */
  readonly deltaBytesMax: number;
  /** Whether the next phase grows from this one's end; absent: it is the last. */
  readonly isRung?: boolean;
  /** Of a closed run: nobody else's contributions count. Absent: everybody's do. */
  readonly authors?: readonly PeerId[];
}

/**
 * The ladder: how each phase is entered from the one before, and what makes a list of phases one that can be climbed.
 * docs/phases.md explains it.
 */
import { z } from "zod";
import { type GrowthRule, type ModelConfig, growthObstacles, growthRuleSchema } from "../../trainer/index.ts";

/** The most phases of one run. From: docs/design.md, section 9. */
export const PHASES_MAX = 7;

/** In every phase but the first. */
export interface Entry {
  readonly growth: GrowthRule;
  /** The best so many authors of the phase before are admitted at its end. */
  readonly seats: number;
  /** The phase before goes on for ranking: whenever so many further rounds of it have settled, its best go up. */
  readonly qualifyRounds: number;
  /** So many of those not yet admitted, each time. */
  readonly qualifySeats: number;
}

export const entrySchema: z.ZodType<Entry> = z.strictObject({
  growth: growthRuleSchema,
  seats: z.int().min(1).max(1024),
  qualifyRounds: z.int().min(1).max(100_000),
  qualifySeats: z.int().min(0).max(1024),
});

interface Rung {
  readonly model: ModelConfig;
  readonly entry?: Entry;
}

/** What keeps a list of phases from being a ladder, each with the place that it is about; none: it is one. */
export function ladderIssues(phases: readonly Rung[]): { path: (string | number)[]; message: string }[] {
  return phases.flatMap(({ model, entry }, phase) => {
    const below = phases[phase - 1];
    if (below === undefined) {
      const message = "expected no entry in the first phase: there is none before it";
      return entry === undefined ? [] : [{ path: [phase, "entry"], message }];
    }
    const missing = {
      path: [phase, "entry"],
      message: "expected growth, seats and qualification, got nothing",
    };
    const issues = growthObstacles(below.model, model).map((obstacle) => ({
      path: [phase, "model"],
      message: `can't be grown into from the phase before: ${obstacle}`,
    }));
    return entry === undefined ? [missing, ...issues] : issues;
  });
}

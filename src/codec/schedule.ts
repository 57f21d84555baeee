/**
 * Settings that change while a phase goes on: dense while every coordinate still moves, sparse later. The settings of
 * a contribution are a function of the settled tokens of its own history, which everybody who holds its header counts
 * alike; so they need no announcement, and no two nodes read one delta under different settings.
 */
import { z } from "zod";
import { assert } from "../core/index.ts";
import { type CodecSettings, settingsFields } from "./settings.ts";

/** Settings from so many settled tokens on. */
export interface CodecStage extends CodecSettings {
  readonly fromTokens: number;
}

/** Stages by growing `fromTokens`, the first at 0; a single one is the constant case. */
export type CodecSchedule = readonly CodecStage[];

/** Guess: halving the density from 1 to 1/256 takes nine stages. */
const STAGES_MAX = 32;

export const codecScheduleSchema: z.ZodType<CodecSchedule> = z
  .array(
    z.strictObject({
      fromTokens: z.int().min(0).describe("settled tokens of the phase from which on these settings hold"),
      ...settingsFields,
    }),
  )
  .min(1)
  .max(STAGES_MAX)
  .refine(isOrdered, "expected stages that begin at fromTokens 0 and grow");

function isOrdered(stages: CodecSchedule): boolean {
  return stages.every(
    ({ fromTokens }, i) => fromTokens > (stages[i - 1]?.fromTokens ?? -1) && (i > 0 || fromTokens === 0),
  );
}

/** The settings that hold after so many settled tokens: those of the last stage that has begun. */
export function codecAt(schedule: CodecSchedule, settledTokens: number): CodecSettings {
  const stage = schedule.findLast(({ fromTokens }) => fromTokens <= settledTokens);
  assert(stage !== undefined, `a schedule begins at 0 tokens, got ${settledTokens} before its first stage`);
  return stage;
}

/**
 * Credits: what settled work earned. A fold over the settled rounds and nothing else, so it is equal on every node:
 *
 *   credits(c) = perToken * min(tokens(c), median tokens of S(r))      for each c in S(r) that trained, r settled
 *
 * Tokens count exactly as voting weight counts them. Both factors are integers, so nothing is ever divided and there
 * is no remainder to give away. All that a phase can mint is bounded by its tokens: perToken times `includedTokens`.
 * A credit hangs on one contribution: what voids one later (a failed audit) is a fold that leaves its line out.
 */
import { z } from "zod";
import type { ContributionId, PeerId } from "../core/index.ts";
import type { View } from "./view.ts";

/** The part of the manifest that says what work earns. */
export interface CreditRule {
  /** Credits for each counted token. */
  readonly perToken: number;
}

export const creditRuleSchema: z.ZodType<CreditRule> = z.strictObject({
  perToken: z.int().min(1),
});

/** What one contribution earned. */
export interface CreditLine {
  readonly contribution: ContributionId;
  readonly author: PeerId;
  readonly phase: number;
  readonly round: number;
  /** As counted, not as claimed. */
  readonly tokens: number;
  readonly credits: bigint;
}

/** The lines of the settled rounds from `fromRound` up to and without `untilRound`, by round, then by contribution id. */
export function* creditLines(
  view: View,
  rule: CreditRule,
  range: { readonly fromRound: number; readonly untilRound: number },
): Generator<CreditLine> {
  for (let round = range.fromRound; round < Math.min(range.untilRound, view.settledRound); round++) {
    for (const { id, header, tokens } of view.counted(round)) {
      const { author, phase } = header;
      const credits = BigInt(rule.perToken) * BigInt(tokens);
      yield { contribution: id, author, phase, round, tokens, credits };
    }
  }
}

/**
 * A settled state that a machine starts from instead of the phase's start: joining costs the headers since, not all of
 * history. Only histories that extend it are linked.
 */
import { type Digest, assert } from "../core/index.ts";
import type { Accounts } from "./accounts.ts";
import { Lineage } from "./lineage.ts";
import type { Rule } from "./rule.ts";

export interface Base {
  /** Rounds below this are settled. */
  readonly round: number;
  readonly root: Digest;
  readonly weightsRoot: Digest;
  readonly accounts: Accounts;
  /** The settled roots of the settleDepth rounds before, which the contributions of the next rounds name. */
  readonly roots: readonly Digest[];
}

/** The least round of a base: before it, weights of the first rounds are needed, which no accounts hold. */
export function baseRoundMin(rule: Rule): number {
  return rule.settleDepth + 2;
}

/** The lineage of a base, with its roots before it. */
export function lineageOfBase({ round, root, roots }: Base, rule: Rule): { first: Lineage; tip: Lineage } {
  assert(
    roots.length === rule.settleDepth && round >= baseRoundMin(rule),
    `a base is of round ${baseRoundMin(rule)} at least and has ${rule.settleDepth} roots before it`,
  );
  const first = new Lineage(round - rule.settleDepth, roots[0] as Digest);
  let tip = first;
  for (const next of [...roots.slice(1), root]) tip = tip.next(next);
  return { first, tip };
}

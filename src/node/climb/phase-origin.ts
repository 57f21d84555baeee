/**
 * Where a phase begins, as history on a disk tells: the first at the manifest's start, each later one at the settled round
 * that the phase below ends with.
 */
import {
  type GraphOptions,
  type Header,
  NO_ACCOUNTS,
  type PhaseMark,
  type View,
  type WeightTable,
  acceptedWork,
  firstVoters,
  phaseEnd,
  settledRoot,
  standingAt,
} from "../../consensus/index.ts";
import type { Digest, RunId } from "../../core/index.ts";
import { parametersCount } from "../../trainer/index.ts";
import { zeroStateRoot } from "../learner/state-root.ts";
import { type Manifest, limitsOf, phaseOf } from "../run/manifest.ts";

export interface PhaseOrigin {
  /** Root of the weights that the phase starts from. */
  readonly startRoot: Digest;
  /** In all but the first phase: the settled round that the phase below ended with, and who votes at first. */
  readonly mark?: PhaseMark;
  readonly voters?: WeightTable;
}

/** `mark`: the end of the phase below, in whose history it has settled. */
export function originAbove(
  below: View,
  {
    manifest,
    phase,
    mark,
    startRoot,
  }: {
    manifest: Manifest;
    phase: number;
    mark: PhaseMark;
    startRoot: Digest;
  },
): PhaseOrigin | undefined {
  const { entry } = phaseOf(manifest, phase);
  if (entry === undefined) return undefined;
  const standing = standingAt(below, mark, { seats: entry, score: acceptedWork });
  return { startRoot, mark, voters: firstVoters(below, mark, standing) };
}

/**
 * As a header of the phase's round 0 says it: only what starts from the phase's weights was ever taken in. `below`: of the
 * phase below; undefined when that has not ended.
 */
export function originOf(
  { phase, start, settled }: Header,
  { manifest, below }: { manifest: Manifest; below: View | undefined },
): PhaseOrigin | undefined {
  if (phase === 0) return { startRoot: start };
  const round = below && phaseEnd(below, phaseOf(manifest, phase - 1).tokensBudget);
  if (below === undefined || round === undefined) return undefined;
  return originAbove(below, { manifest, phase, startRoot: start, mark: { round, root: settled.root } });
}

export function graphOptions(
  manifest: Manifest,
  { run, phase, origin }: { run: RunId; phase: number; origin: PhaseOrigin },
): GraphOptions {
  const { startRoot, mark, voters } = origin;
  const { rule, model } = phaseOf(manifest, phase);
  return {
    run,
    phase,
    rule,
    founders: manifest.founders,
    ...(voters && { firstVoters: voters }),
    limits: limitsOf(manifest, phase),
    startRoot,
    startSettled:
      mark?.root ?? settledRoot({ run, phase, round: 0, weightsRoot: startRoot, accounts: NO_ACCOUNTS }),
    zeroState: zeroStateRoot(parametersCount(model)),
  };
}

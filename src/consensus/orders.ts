/** What a machine orders of the trainer, and what it gives to be signed: functions of the view that a round builds on. */
import type { Cid, ContributionId, PeerId } from "../core/index.ts";
import { isClosing } from "./closing.ts";
import type { Draft, SettledState, TrainOrder, Trained } from "./events.ts";
import { HEADER_VERSION } from "./header.ts";
import type { OwnWork } from "./own-work.ts";
import type { PhaseOptions } from "./fit.ts";
import { batchSeed } from "./settlement.ts";
import type { View } from "./view.ts";

export interface OrderOptions {
  readonly phase: PhaseOptions;
  readonly self: PeerId;
  readonly own: OwnWork;
  /** What the view builds on. */
  readonly settled: SettledState;
  /** The phase is over, and we go on in it for the sake of ranking. */
  readonly isRanking: boolean;
}

export function trainOrder(view: View, { phase, self, own, settled, isRanking }: OrderOptions): TrainOrder {
  const { firstVoters, rule, limits } = phase;
  const firstFlockSize = firstVoters?.size ?? rule.startPeers;
  return {
    round: view.round,
    closing: !isRanking && isClosing(view, limits),
    seed: batchSeed(settled.root, view.round, self),
    tokensDone: view.includedTokens(),
    flockSize: view.round === 0 ? firstFlockSize : view.parents.length,
    settledTokens: view.settledTokens(),
    ...own.returns(view),
  };
}

/** `evidence`: proofs that history has not heard yet. */
export function draftOf(
  view: View,
  { phase: { run, phase }, self, own, settled: { round, root } }: Omit<OrderOptions, "isRanking">,
  o: {
    result: Trained;
    evidence: readonly ContributionId[];
    /** The successor that we carry. */
    supports: Cid | null;
  },
): Draft {
  const { result, evidence, supports } = o;
  return {
    v: HEADER_VERSION,
    run,
    phase,
    round: view.round,
    author: self,
    parents: view.parentIds,
    settled: { round, root },
    start: result.start,
    delta: result.delta,
    work: { ...result.work, data: batchSeed(root, view.round, self) },
    evidence,
    supports,
    previous: own.last,
  };
}

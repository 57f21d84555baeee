/** What a node tells the machine (events), and what the machine asks of the node (effects). */
import type { ContributionId, Digest, Refused } from "../core/index.ts";
import type { Accounts } from "./accounts.ts";
import type { FoldTerm } from "./fold.ts";
import type { DeltaLink, Header, UnsignedHeader, Work } from "./header.ts";
import type { Returns } from "./own-work.ts";
import type { Contribution } from "./view.ts";

export type Event = { readonly nowMs: number } & (
  | { readonly kind: "header"; readonly id: ContributionId; readonly header: Header }
  /**
   * The delta was pulled. `passed`: it decodes, its norm is the header's and our gates let it pass, so we may cite it;
   * null: the gates have yet to judge it, and another such event follows before long once its round is collected.
   * `foldable`: all but the gates (default: not false); what the others included is folded without our consent.
   */
  | {
      readonly kind: "body";
      readonly id: ContributionId;
      readonly passed: boolean | null;
      readonly foldable?: boolean;
    }
  /** A settled state whose weights are at hand and that the history which was given names: fold from there on. */
  | { readonly kind: "foothold"; readonly state: SettledState }
  /** All history that was at hand has been given: start working. */
  | { readonly kind: "begin" }
  | {
      readonly kind: "folded";
      readonly round: number;
      readonly settledWeights: Digest;
    }
  | { readonly kind: "trained"; readonly round: number; readonly result: Trained }
  /** The phase is over, and we go on in it for the sake of ranking. */
  | { readonly kind: "rank" }
  /** The phase is over, and we only want to know what becomes of it. */
  | { readonly kind: "observe" }
  | { readonly kind: "tick" }
);

/** What the trainer did: no steps and no delta in a closing contribution. */
export interface Trained {
  /** Root of the weights that it started from. */
  readonly start: Digest;
  readonly delta: DeltaLink | null;
  readonly work: Pick<
    Work,
    "steps" | "tokens" | "lossFirst" | "lossLast" | "stateBefore" | "stateAfter" | "engine"
  >;
}

/** Which rounds make up the weights that round R starts from. */
export interface FoldPlan {
  readonly round: number;
  /** The first round of the plan; below what was folded before: start again from the phase's start. */
  readonly from: number;
  /** Rounds below this are settled. */
  readonly settledRound: number;
  /** One entry per round, from the last settled round that was planned before up to R-1. */
  readonly rounds: readonly { readonly round: number; readonly terms: readonly FoldTerm[] }[];
}

export interface TrainOrder extends Returns {
  readonly round: number;
  /** Only cite: the phase's budget is reached. */
  readonly closing: boolean;
  readonly seed: Digest;
  /** Included tokens before this round, and how many of the flock train along: the learning rate's position. */
  readonly tokensDone: number;
  readonly flockSize: number;
  /** Settled tokens before this round: the codec's position. */
  readonly settledTokens: number;
}

export interface SettledState {
  readonly round: number;
  readonly root: Digest;
  readonly weightsRoot: Digest;
  readonly accounts: Accounts;
}

/** A header without what only the key's owner can add; `previous` is our latest contribution, for the lot. */
export type Draft = Omit<UnsignedHeader, "lot"> & { readonly previous: Contribution | undefined };

export type Effect =
  | { readonly kind: "refuse"; readonly id: ContributionId; readonly why: Refused }
  /** It is part of the history that we hold now: keep it for ever. */
  | { readonly kind: "admit"; readonly contribution: Contribution }
  | { readonly kind: "want"; readonly ids: readonly ContributionId[] }
  | { readonly kind: "pull"; readonly contribution: Contribution }
  | { readonly kind: "fold"; readonly plan: FoldPlan }
  | { readonly kind: "train"; readonly order: TrainOrder }
  | { readonly kind: "hurry"; readonly round: number }
  | { readonly kind: "publish"; readonly draft: Draft }
  | { readonly kind: "settled"; readonly state: SettledState }
  /** Another history outweighs ours: all is folded anew; what had settled from round `fork` on is void. */
  | { readonly kind: "resync"; readonly fork: number; readonly lost: SettledState | undefined }
  | { readonly kind: "wake"; readonly atMs: number }
  /** Patience ended in this round before two thirds of its voters came; perhaps the flock is in much later ones. */
  | { readonly kind: "overdue"; readonly round: number }
  /** `leaves`: for the successor of the run that we support. */
  | { readonly kind: "finished"; readonly round: number; readonly leaves: boolean };

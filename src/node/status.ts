/** What a node says of itself: the answer of `starling status --json`, the testnet's table and its report. */
import type { Digest, PeerId, RunId } from "../core/index.ts";

/** A run that goes on from this one, and the folder that this node does so in. */
export interface Successor {
  readonly run: RunId;
  readonly dataDir: string;
  /** The settled round at which this run was left. */
  readonly round: number;
}

export type NodeState =
  | "starting"
  | "fetching"
  | "waiting"
  | "training"
  | "collecting"
  | "closing"
  | "paused"
  | "serving"
  | "finished"
  | "stopped";

export interface SettledStatus {
  /** Rounds folded into the root. */
  readonly round: number;
  readonly root: Digest;
  /** Merkle root of the weights alone; equal to that of an export. */
  readonly weightsRoot: Digest;
}

/** One point of the loss curve, of the weights that a round started from. */
export interface CurvePoint {
  readonly round: number;
  /** Included tokens of the whole flock until then. */
  readonly tokens: number;
  readonly validationLossNats: number;
}

/** Where a node stands on its run's ladder. */
export interface LadderStatus {
  readonly phasesCount: number;
  /** Included tokens that end the phase it works on. */
  readonly tokensBudget: number;
  /** Its place in that phase by accepted work, from 1; null: nothing of its work has settled there. */
  readonly rank: number | null;
  /** How many of the best go on at the end; null in the last phase. */
  readonly seats: number | null;
  /** Why it is still in a phase that is over; null while it is not. */
  readonly leftBehindWhy: string | null;
}

/** A phase of the ladder that is over, as this node saw it. */
export interface PhaseStatus {
  readonly phase: number;
  readonly parameters: number;
  readonly roundsSettled: number;
  readonly startRoot: Digest;
  readonly endRoot: Digest;
  /** Held-out loss of the weights that it began and ended with. */
  readonly lossFirst: number | null;
  readonly lossLast: number | null;
  /** Who went on to the next phase, the best first; those who qualified later at the end. */
  readonly admitted: readonly PeerId[];
  /** This node's place among those who worked, from 1; null: it did nothing that counts. */
  readonly rank: number | null;
  /** Null in the last phase. */
  readonly seats: number | null;
}

/** What became of an author's contributions with work in them, in rounds that have settled. */
export interface AuthorStatus {
  readonly peerId: PeerId;
  /** That this node heard of, in time or not. */
  readonly heard: number;
  readonly included: number;
}

/** What this node's gates did since it started. */
export interface GatesStatus {
  /** Contributions that they looked at. */
  readonly judged: number;
  /** Those not worth citing, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly judgingSeconds: number;
}

export interface NodeStatus {
  readonly version: string;
  readonly run: RunId;
  readonly runName: string;
  readonly peerId: PeerId;
  readonly pid: number | null;
  readonly addresses: readonly string[];
  /** What somebody pastes after `starling join`; null while no node runs. */
  readonly address: string | null;
  /** Where its page is; null without one. */
  readonly dashboardUrl: string | null;
  readonly state: NodeState;
  /** What the node waits for room to write; meanwhile it publishes nothing. */
  readonly diskFull: string | null;
  /** Why it does not train just now; null when nothing keeps it. */
  readonly pausedWhy: string | null;
  /** What trains; "auto" until one is chosen. */
  readonly engine: string;
  /** Why this one; null when it was asked for by name. */
  readonly engineReason: string | null;
  readonly parametersCount: number;
  readonly phase: number;
  /** Null before the run is known. */
  readonly ladder: LadderStatus | null;
  /** Where the node goes on since it left this run for its successor. */
  readonly successor: Successor | null;
  /** The phases that are over: those that this node has gone through, the one that it is ranked in, and a last one that has ended. */
  readonly phases: readonly PhaseStatus[];
  readonly round: number;
  readonly settled: SettledStatus | null;
  /** Training loss of the node's last inner step. */
  readonly lossNats: number | null;
  /** Held-out loss: of the current round's start weights (a few batches), and of the first and last settled ones (all). */
  readonly validationLossNats: number | null;
  readonly validationLossFirstNats: number | null;
  readonly validationLossLastNats: number | null;
  readonly peersCount: number;
  /** Of a node that trains nothing: what it holds of others' work, and how many deltas are still to come. */
  readonly holding: { readonly contributions: number; readonly missing: number } | null;
  /** Own contributions with work in them: published so far, and included in history as this node sees it. */
  readonly contributionsPublished: number;
  readonly contributionsIncluded: number;
  /** Own inner steps whose loss or gradient was not finite, since the node started; they changed nothing. */
  readonly stepsNotApplied: number;
  /** How many devices trained the node's last round together; null before the first. */
  readonly devicesCount: number | null;
  /** Own inner steps that are in the settled weights. */
  readonly stepsSettled: number;
  /** The whole flock's included tokens. */
  readonly tokensTotal: number;
  readonly gates: GatesStatus;
  /** Who published most in this phase first; at most 64. */
  readonly authors: readonly AuthorStatus[];
  readonly tokensPerSecond: number | null;
  readonly trainingSeconds: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly deltaBytesMean: number | null;
  /** What a delta would be as plain float32. */
  readonly deltaBytesDense: number;
  readonly pingP99Ms: number | null;
  readonly eventLoopDelayP99Ms: number | null;
  readonly curve: readonly CurvePoint[];
}

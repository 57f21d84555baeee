/** What a check of a folder is asked for, says on the way, and comes to. */
import type { Clock, Digest, RunId } from "../../core/index.ts";
import type { Archive } from "../../storage/index.ts";
import type { Counts, Finding, Unchecked } from "./findings.ts";
import type { LandmarkStore } from "./landmark.ts";

export interface VerifyOptions {
  readonly source: Archive;
  /** Where to go on from in a phase, and to leave off; without it everything is checked. */
  readonly landmarks?: (phase: number) => LandmarkStore;
  /** Do not go on from a landmark; a new one is still left. */
  readonly fromStart?: boolean;
  readonly clock: Clock;
  /** Ends the check early; the report says so. */
  readonly signal: AbortSignal;
  readonly onFinding: (finding: Finding) => void;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

export interface VerifyProgress {
  /** Rounds that are done, and how many there are, of all phases. */
  readonly roundsDone: number;
  readonly roundsCount: number;
  readonly roundsPerSecond: number;
}

export interface VerifyReport {
  readonly run: RunId;
  /** The newest settled state of this history, where it could be recomputed. */
  readonly settled: { readonly phase: number; readonly round: number; readonly root: Digest } | null;
  /** So many rounds, of all phases, were checked before; 0: all were checked now. */
  readonly fromRound: number;
  readonly roundsChecked: number;
  readonly roundsPerSecond: number;
  readonly checked: Readonly<Counts>;
  readonly unchecked: Readonly<Unchecked>;
  readonly uncheckedCount: number;
  /** Contributions of histories that settled otherwise; their roots are not recomputed. */
  readonly otherHistories: number;
  readonly findingsCount: number;
  /** The signal ended it before the end. */
  readonly isInterrupted: boolean;
}

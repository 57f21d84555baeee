/** What the main thread may ask of the learner's thread. Messages are structured clones; bytes are copied. */
import type { Base, FoldPlan, TrainOrder, Trained } from "../../consensus/index.ts";
import type { Cid, ContributionId, Digest, Verdict } from "../../core/index.ts";
import type { GenerateOptions } from "../../trainer/index.ts";
import type { CheckpointMeta, RoundName } from "../../storage/index.ts";
import type { Growth } from "../../trainer/index.ts";
import type { LogLevel } from "../threads/log.ts";
import type { Evaluation } from "../model/measure.ts";
import type { DeltaBody } from "./folded-weights.ts";
import type { Judged, Judgement } from "./judge.ts";
import type { Which } from "./learner.ts";
import type { LearnerFacts, LearnerOptions } from "./options.ts";

/** The deltas that an order's `restore` and `withdraw` name. */
export interface OwnDeltas {
  readonly restore: readonly DeltaBody[];
  readonly withdraw: readonly DeltaBody[];
}

export interface RoundResult {
  readonly result: Omit<Trained, "delta">;
  readonly delta: { readonly bytes: Uint8Array; readonly norm: number } | null;
  readonly trainingMs: number;
  /** Steps of this round that changed nothing, because loss or gradient was not finite. */
  readonly stepsNotApplied: number;
  /** How many trained it; fewer than were asked for once one has failed. */
  readonly devicesCount: number;
}

export interface LearnerThread {
  /** What the rule must know of the arrays, for who opens nothing. */
  facts(options: Pick<LearnerOptions, "model" | "seed" | "start">): LearnerFacts;
  /** `dataDir`: where states and checkpoints are kept. Once more: all that was open before is closed. */
  open(options: LearnerOptions, dataDir: string): Promise<LearnerFacts>;
  /** Takes up the state at the end of an own round; false: it is lost, and training starts with an empty one. */
  resume(name: RoundName, stateAfter: Digest): Promise<boolean>;
  hold(id: ContributionId, body: DeltaBody): Verdict<number>;
  /** Not before a round under way has ended. */
  judge(round: number, candidates: readonly Judged[]): Promise<Judgement>;
  fold(plan: FoldPlan): Promise<{ settledWeights: Digest }>;
  /** Trains, and has the new state where the death of the process can't take it before it answers. */
  train(name: RoundName, order: TrainOrder, own: OwnDeltas): Promise<RoundResult>;
  hurry(round: number): void;
  evaluate(which: Which, batchesMax: number): Promise<number>;
  /** Begins a text; at most a few at once. Throws `GENERATE_BUSY`. */
  openText(options: GenerateOptions): number;
  /** What comes next in a text; null at its end. */
  nextText(text: number): Promise<string | null>;
  /** Ends a text early; nothing happens when it has ended. */
  closeText(text: number): Promise<void>;
  /** The settled weights as float32, (P,), and their root. */
  settledFloats(): { weights: Float32Array; weightsRoot: Digest };
  /** The settled model's loss on a text; one after the other. */
  measure(text: string): Promise<Evaluation>;
  /** Writes the settled weights as a Hugging Face folder; answers with the files' names and the weights' root. */
  exportTo(out: string, card: string): Promise<{ files: string[]; weightsRoot: Digest }>;
  /** `base`: what joiners are told of it, if they can join at it. */
  checkpoint(meta: CheckpointMeta, base?: Base): Promise<void>;
  /**
   * Goes on from the checkpoint of a round (default: the newest that has a record): its record; undefined when there is none,
   * or it is damaged.
   */
  startFromSaved(name?: RoundName): Promise<Uint8Array | undefined>;
  /**
   * Goes on from a settled state whose record and weights (a body) are on the disk among the blocks, and keeps it as a
   * checkpoint. False: a block of it is damaged or gone.
   */
  startFrom(meta: CheckpointMeta, record: Uint8Array, weights: Cid): Promise<boolean>;
  /** The settled weights as a body among the blocks: its name. */
  keepSettled(): Promise<Cid>;
  /** The settled weights are those that the phase ends with: they are kept, on disk too, however the phase goes on. */
  mark(meta: CheckpointMeta, base?: Base): Promise<void>;
  /** Goes on from what a phase ended with, as `mark` kept it: its record; undefined when there is none, or it is damaged. */
  startFromEnd(end: RoundName & { readonly root: Digest }): Promise<Uint8Array | undefined>;
  /** Starts the next phase from what the marked weights grow into. */
  climb(options: Omit<LearnerOptions, "start">, growth: Growth): Promise<LearnerFacts>;
  close(): Promise<void>;
}

/** What the thread may ask of the main thread. */
export interface LearnerOwner {
  /** A block of the run's data, from the disk or from peers; as long as that takes. */
  block(cid: Cid): Promise<Uint8Array>;
  log(level: LogLevel, message: string, context: Record<string, unknown>): void;
  /** What the thread has no room to write; null: it has again. */
  diskFull(lack: string | null): void;
}

/**
 * `starling verify`: a node's whole history, checked without a network. Nothing on the disk is believed: headers are
 * hashed, their signatures checked, and linked by what they cite; deltas are decoded; every round is folded again and
 * every root recomputed; checkpoints must be states that came up on the way.
 */
import { type Clock, type Digest, type RunId, matchesCid } from "../../core/index.ts";
import type { Archive } from "../../storage/index.ts";
import { type Manifest, decodeManifest } from "../manifest.ts";
import { type SoundCheckpoint, checkCheckpoint } from "./checkpoint-check.ts";
import { checkData, startBytesOf } from "./data-check.ts";
import { type Counts, type Finding, Tally, type Unchecked } from "./findings.ts";
import { linkHeaders } from "./headers.ts";
import type { LandmarkStore } from "./landmark.ts";
import { type PhaseFacts, phaseFacts } from "./phase.ts";
import { Rounds } from "./rounds.ts";
import { settledHistory } from "./settled-history.ts";

const PHASE = 0;
/** How much work an interrupted check may lose. Guess. */
const SAVE_INTERVAL_MS = 10_000;

export interface VerifyOptions {
  readonly source: Archive;
  /** Where to go on from, and to leave off; without it everything is checked. */
  readonly landmarks?: LandmarkStore;
  /** Do not go on from a landmark; a new one is still left. */
  readonly fromStart?: boolean;
  readonly clock: Clock;
  /** Ends the check early; the report says so. */
  readonly signal: AbortSignal;
  readonly onFinding: (finding: Finding) => void;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

export interface VerifyProgress {
  /** Rounds that are done, and how many there are. */
  readonly roundsDone: number;
  readonly roundsCount: number;
  readonly roundsPerSecond: number;
}

export interface VerifyReport {
  readonly run: RunId;
  /** The newest settled state of this history, where it could be recomputed. */
  readonly settled: { readonly round: number; readonly root: Digest } | null;
  /** Rounds below this one were checked before; 0: all were checked now. */
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

/** Throws `DISK_READ_FAILED`; what is false is a finding, never an error. */
export async function verifyHistory(options: VerifyOptions): Promise<VerifyReport> {
  const { source, onFinding, clock, signal } = options;
  const tally = new Tally(onFinding);
  const startedMs = clock.nowMs();
  let facts: Partial<Outcome> = {};
  const manifest = await readManifest(source, tally);
  if (manifest !== undefined) {
    await checkData(source, manifest, tally);
    const startBytes = await startBytesOf(source, manifest, tally);
    if (startBytes !== undefined) {
      facts = await checkPhase(
        options,
        phaseFacts(source.run, manifest, { phase: PHASE, startBytes }),
        tally,
      );
    }
  }
  const { settled, fromRound = 0, roundsChecked = 0 } = facts;
  return {
    run: source.run,
    settled: settled ?? null,
    fromRound,
    roundsChecked,
    roundsPerSecond: perSecond(roundsChecked, clock.nowMs() - startedMs),
    checked: tally.checked,
    unchecked: tally.unchecked,
    uncheckedCount: tally.uncheckedCount,
    otherHistories: tally.otherHistories,
    findingsCount: tally.findingsCount,
    isInterrupted: signal.aborted,
  };
}

async function readManifest(source: Archive, tally: Tally): Promise<Manifest | undefined> {
  const block = await source.block(source.run);
  if (block !== undefined && matchesCid(source.run, block)) return decodeManifest(block);
  const got = block === undefined ? "none" : "other bytes";
  tally.find(
    "MANIFEST",
    source.run,
    `expected the manifest that names the run, got ${got}; nothing can be checked`,
  );
  return undefined;
}

interface Outcome {
  readonly settled: { readonly round: number; readonly root: Digest } | undefined;
  readonly fromRound: number;
  readonly roundsChecked: number;
}

async function checkPhase(
  options: VerifyOptions,
  facts: PhaseFacts,
  tally: Tally,
): Promise<Partial<Outcome>> {
  const { source, landmarks, fromStart, signal } = options;
  const graph = await linkHeaders({ source, graph: facts.graph, tally, signal });
  const history = settledHistory(graph, source.self);
  if (history === undefined || signal.aborted) return {};
  const checkpoints = once(() => soundCheckpoints(source, facts));
  const rounds = new Rounds({ source, facts, graph, history, tally, checkpoints });
  const landmark = fromStart ? undefined : await landmarks?.load();
  if (landmark !== undefined) await rounds.resume(landmark);
  const fromRound = rounds.settledRound;
  const roundsChecked = await checkRounds(options, { rounds, roundsCount: graph.roundsCount, tally });
  if (signal.aborted) return { fromRound, roundsChecked };
  const settled = await rounds.finish();
  await checkCheckpoints(source, { rounds, facts, tally });
  if (tally.isClean) await leave(landmarks, rounds);
  return { settled, fromRound, roundsChecked };
}

/** The number of rounds that were checked, all of them unless the signal came. */
async function checkRounds(
  { clock, signal, landmarks, onProgress }: VerifyOptions,
  { rounds, roundsCount, tally }: { rounds: Rounds; roundsCount: number; tally: Tally },
): Promise<number> {
  const first = rounds.settledRound;
  const startedMs = clock.nowMs();
  let savedMs = startedMs;
  for (let round = first; round < roundsCount; round++) {
    if (signal.aborted) return round - first;
    await rounds.check(round);
    const nowMs = clock.nowMs();
    const roundsPerSecond = perSecond(round + 1 - first, nowMs - startedMs);
    onProgress?.({ roundsDone: round + 1, roundsCount, roundsPerSecond });
    if (nowMs - savedMs < SAVE_INTERVAL_MS || !tally.isClean) continue;
    await leave(landmarks, rounds);
    savedMs = nowMs;
  }
  return roundsCount - first;
}

async function leave(landmarks: LandmarkStore | undefined, rounds: Rounds): Promise<void> {
  const { settledRound: round, settledWeights: weights } = rounds;
  const root = rounds.rightRoot(round);
  if (root !== undefined && round > 0) await landmarks?.save({ round, root, weights });
}

async function checkCheckpoints(
  source: Archive,
  { rounds, facts, tally }: { rounds: Rounds; facts: PhaseFacts; tally: Tally },
): Promise<void> {
  for await (const folder of source.checkpoints()) {
    const subject = `checkpoints/${folder.name}`;
    const checked = checkCheckpoint(folder, facts);
    if (checked.kind !== "accept") {
      tally.refuse(subject, checked);
      continue;
    }
    const { round, root } = checked.value.meta;
    const expected = rounds.rightRoot(round);
    // A node that resynced may still have one of the history that it left.
    if (expected === undefined || rounds.isElsewhere(round, root)) tally.unchecked.checkpoints += 1;
    else if (expected === root) tally.checked.checkpoints += 1;
    else
      tally.find("CHECKPOINT_HISTORY", subject, `expected root ${expected} of round ${round}, got ${root}`);
  }
}

/** By round; of the same round, the one saved last. */
async function soundCheckpoints(source: Archive, facts: PhaseFacts): Promise<Map<number, SoundCheckpoint>> {
  const sound = new Map<number, SoundCheckpoint>();
  for await (const folder of source.checkpoints()) {
    const checked = checkCheckpoint(folder, facts);
    if (checked.kind === "accept" && !sound.has(folder.round)) sound.set(folder.round, checked.value);
  }
  return sound;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

function perSecond(count: number, ms: number): number {
  return ms <= 0 ? 0 : (1000 * count) / ms;
}

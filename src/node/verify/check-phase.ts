/** One phase: its headers linked, its rounds folded again, its checkpoints compared, and what it comes to. */
import { type ContributionGraph, type Header, type View, phaseEnd } from "../../consensus/index.ts";
import { type Digest, type RunId, bytesOf, rootOfBytes } from "../../core/index.ts";
import { growWeights } from "../../trainer/index.ts";
import { type Manifest, growthInto } from "../run/manifest.ts";
import { originAbove } from "../climb/phase-origin.ts";
import { checkCheckpoints, soundCheckpoints } from "./checkpoints.ts";
import type { Tally } from "./findings.ts";
import type { LandmarkStore } from "./landmark.ts";
import { type PhaseFacts, phaseFacts } from "./phase.ts";
import type { VerifyOptions, VerifyReport } from "./report.ts";
import { Rounds } from "./rounds.ts";
import { settledHistory } from "./settled-history.ts";

/** How much work an interrupted check may lose. Guess. */
const SAVE_INTERVAL_MS = 10_000;

export interface Outcome {
  readonly settled: NonNullable<VerifyReport["settled"]> | undefined;
  readonly fromRound: number;
  readonly roundsChecked: number;
  /** What the phase above is checked against; undefined when there is none, or this one has not ended. */
  readonly above: PhaseFacts | undefined;
}

/** Undefined where there is no history. */
export async function checkPhase(
  options: Omit<VerifyOptions, "onProgress"> & { onProgress: VerifyOptions["onProgress"] },
  o: {
    facts: PhaseFacts;
    graph: ContributionGraph;
    manifest: Manifest;
    /** The first header of the phase above. */
    claimed: Header | undefined;
    tally: Tally;
  },
): Promise<Outcome | undefined> {
  const { source, fromStart, signal } = options;
  const { facts, graph, manifest, tally } = o;
  const { phase } = facts;
  const history = settledHistory(graph, source.self);
  if (history === undefined || signal.aborted) return undefined;
  const { limits } = facts.graph;
  const endRound = limits.isRung === true ? phaseEnd(history.view, limits.tokensBudget) : undefined;
  const checkpoints = once(() => soundCheckpoints(source, facts));
  const rounds = new Rounds({ source, facts, graph, history, tally, endRound, checkpoints });
  const landmarks = options.landmarks?.(phase);
  const landmark = fromStart ? undefined : await landmarks?.load();
  if (landmark !== undefined) await rounds.resume(landmark);
  const fromRound = rounds.settledRound;
  const roundsChecked = await checkRounds(options, {
    rounds,
    roundsCount: graph.roundsCount,
    tally,
    landmarks,
  });
  if (signal.aborted) return { settled: undefined, fromRound, roundsChecked, above: undefined };
  const settled = await rounds.finish();
  await checkCheckpoints(source, { rounds, facts, tally });
  if (tally.isClean) await leave(landmarks, rounds);
  const end = endRound === undefined ? undefined : { round: endRound, root: rounds.rightRoot(endRound) };
  return {
    settled: settled && { phase, ...settled },
    fromRound,
    roundsChecked,
    above:
      end &&
      factsAbove(history.view, {
        run: source.run,
        manifest,
        phase: phase + 1,
        end,
        rounds,
        claimed: o.claimed,
      }),
  };
}

/** Where the end could not be recomputed, the phase above is taken at its word for what it starts from. */
function factsAbove(
  below: View,
  o: {
    run: RunId;
    manifest: Manifest;
    phase: number;
    end: { round: number; root: Digest | undefined };
    rounds: Rounds;
    claimed: Header | undefined;
  },
): PhaseFacts | undefined {
  const { run, manifest, phase, end, claimed, rounds } = o;
  const { endWeights } = rounds;
  const start = endWeights && growWeights(endWeights, growthInto(manifest, phase));
  const startRoot = start === undefined ? claimed?.start : rootOfBytes(bytesOf(start));
  const root = end.root ?? claimed?.settled.root;
  if (startRoot === undefined || root === undefined) return undefined;
  const mark = { round: end.round, root };
  const origin = originAbove(below, { manifest, phase, mark, startRoot });
  return origin && phaseFacts(run, manifest, { phase, origin, start });
}

/** The number of rounds that were checked, all of them unless the signal came. */
async function checkRounds(
  {
    clock,
    signal,
    onProgress,
  }: Pick<VerifyOptions, "clock" | "signal"> & { onProgress: VerifyOptions["onProgress"] },
  o: { rounds: Rounds; roundsCount: number; tally: Tally; landmarks: LandmarkStore | undefined },
): Promise<number> {
  const { rounds, roundsCount, tally, landmarks } = o;
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
  const { landmark } = rounds;
  if (landmark !== undefined) await landmarks?.save(landmark);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

export function perSecond(count: number, ms: number): number {
  return ms <= 0 ? 0 : (1000 * count) / ms;
}

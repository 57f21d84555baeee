/**
 * `starling verify`: a node's whole history, checked without a network. Nothing on the disk is believed: headers are
 * hashed, their signatures checked, and linked by what they cite; deltas are decoded; every round is folded again and
 * every root recomputed; checkpoints must be states that came up on the way. A later phase must start from what the end of
 * the one below grows into.
 */
import type { ParsedHeader } from "../../consensus/index.ts";
import { matchesCid } from "../../core/index.ts";
import type { Archive } from "../../storage/index.ts";
import { type Manifest, decodeManifest } from "../run/manifest.ts";
import { type Outcome, checkPhase, perSecond } from "./check-phase.ts";
import { checkOtherCheckpoints } from "./checkpoints.ts";
import { checkData, startBytesOf } from "./data-check.ts";
import { Tally } from "./findings.ts";
import { linkHeaders, readHeaders } from "./headers.ts";
import { type PhaseFacts, firstFacts } from "./phase.ts";
import type { VerifyOptions, VerifyProgress, VerifyReport } from "./report.ts";

/** Throws `DISK_READ_FAILED`; what is false is a finding, never an error. */
export async function verifyHistory(options: VerifyOptions): Promise<VerifyReport> {
  const { source, onFinding, clock, signal } = options;
  const tally = new Tally(onFinding);
  const startedMs = clock.nowMs();
  let outcomes: Outcome[] = [];
  const manifest = await readManifest(source, tally);
  if (manifest !== undefined) {
    await checkData(source, manifest, tally);
    const startBytes = await startBytesOf(source, manifest, tally);
    if (startBytes !== undefined) outcomes = await checkPhases(options, { manifest, startBytes, tally });
  }
  const roundsChecked = outcomes.reduce((sum, outcome) => sum + outcome.roundsChecked, 0);
  return {
    run: source.run,
    settled: outcomes.at(-1)?.settled ?? null,
    fromRound: outcomes.reduce((sum, outcome) => sum + outcome.fromRound, 0),
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

/** One after the other, since each starts from the end of the one below. */
async function checkPhases(
  options: VerifyOptions,
  o: { manifest: Manifest; startBytes: Uint8Array | null; tally: Tally },
): Promise<Outcome[]> {
  const { source, signal } = options;
  const { manifest, startBytes, tally } = o;
  const headers = await readHeaders(source, { tally, signal });
  const outcomes: Outcome[] = [];
  const roundsCount = [...headers.byPhase.values()].reduce((sum, all) => sum + roundsOf(all), 0);
  const unlinked = new Set(headers.byPhase.keys());
  let roundsBefore = 0;
  let facts: PhaseFacts | undefined = firstFacts(source.run, manifest, startBytes);
  while (facts !== undefined && !signal.aborted) {
    const current: PhaseFacts = facts;
    const { phase } = current;
    unlinked.delete(phase);
    const onProgress = options.onProgress && shifted(options.onProgress, { roundsBefore, roundsCount });
    const graph = linkHeaders(headers, { graph: facts.graph, tally });
    const claimed = headers.byPhase.get(phase + 1)?.[0]?.header;
    const outcome = await checkPhase({ ...options, onProgress }, { facts, graph, manifest, claimed, tally });
    if (outcome === undefined) break;
    outcomes.push(outcome);
    roundsBefore += graph.roundsCount;
    facts = claimed === undefined ? undefined : outcome.above;
  }
  if (signal.aborted) return outcomes;
  for (const phase of unlinked) tally.unchecked.headers += headers.byPhase.get(phase)?.length ?? 0;
  await checkOtherCheckpoints(source, { phasesCount: outcomes.length, tally });
  return outcomes;
}

/** The same progress, as part of that of all phases. */
function shifted(
  onProgress: (progress: VerifyProgress) => void,
  { roundsBefore, roundsCount }: { roundsBefore: number; roundsCount: number },
): (progress: VerifyProgress) => void {
  return (progress) =>
    onProgress({ ...progress, roundsDone: roundsBefore + progress.roundsDone, roundsCount });
}

function roundsOf(headers: readonly ParsedHeader[]): number {
  return headers.reduce((count, { header }) => Math.max(count, header.round + 1), 0);
}

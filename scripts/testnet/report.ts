/** What a testnet run came to, as numbers: the content of `--report FILE`. */
import { type Digest, type PeerId, assert } from "../../src/core/index.ts";
import { type PhaseReport, climbFaults, phaseReports, phasesAgree } from "./climb.ts";
import type { Cheat } from "../../src/node/index.ts";
import type { CurvePoint, NodeStatus } from "../../src/node/status.ts";

export interface StateRoot {
  readonly peer: PeerId;
  /** Rounds folded into the root. */
  readonly round: number;
  readonly root: Digest;
}

export interface Report {
  readonly preset: string;
  readonly seed: number;
  readonly nodesCount: number;
  readonly roundsSettled: number;
  /** Of each node that lived to the end, from its own `starling status --json`. */
  readonly stateRoots: readonly StateRoot[];
  readonly validationLossFirstNats: number | null;
  readonly validationLossLastNats: number | null;
  /** Every phase that is over, the last one too. */
  readonly phases: readonly PhaseReport[];
  /** Whether all that lived to the end started and ended every phase with equal roots. */
  readonly phasesAgree: boolean;
  /** Of a ladder: what a climb promises and this one did not keep. */
  readonly climbFaults: readonly string[];
  /** Of one node alone with the steps that one node contributed on average; null without `--baseline`. */
  readonly baselineValidationLossNats: number | null;
  readonly baselineSteps: number | null;
  /** The whole flock's, in the settled weights. */
  readonly tokensTotal: number;
  /** From the first daemon's start until every node had finished. */
  readonly wallSeconds: number;
  /** Of these, training: the mean over the nodes that lived to the end. */
  readonly trainingSeconds: number;
  /** Beside it, what the gates took to judge the others' deltas: mean over the same. */
  readonly judgingSeconds: number;
  /** Contributions that the gates of all of them looked at, and those that they found not worth citing. */
  readonly judgedCount: number;
  readonly refusedCount: number;
  /** In the order of the nodes; of a killed one the last that was known. */
  readonly bytesSentPerNode: readonly number[];
  readonly deltaBytesMean: number | null;
  readonly deltaBytesDense: number;
  /** The worst node's. */
  readonly pingP99Ms: number | null;
  readonly eventLoopDelayP99Ms: number | null;
  /** Names of the nodes that were killed on purpose. */
  readonly killed: readonly string[];
  readonly curve: readonly CurvePoint[];
  readonly baselineCurve: readonly CurvePoint[] | null;
  /** The hostile nodes. */
  readonly cheats: readonly CheatReport[];
}

export interface CheatReport {
  readonly peer: PeerId;
  readonly kind: Cheat;
  /** Of its contributions of settled rounds that were heard of, what history includes: the most that any honest node says. */
  readonly includedShare: number | null;
  /** What each honest node says, from its own status; null: it heard of none. */
  readonly includedShares: readonly (number | null)[];
}

export interface Baseline {
  readonly steps: number;
  readonly validationLossLastNats: number;
  readonly curve: readonly CurvePoint[];
}

export interface Outcome {
  readonly preset: string;
  readonly seed: number;
  /** The last status of every node, null if it never spoke. */
  readonly all: readonly (NodeStatus | null)[];
  /** Final statuses of those that lived to the end; at least one. */
  readonly live: readonly NodeStatus[];
  readonly killed: readonly string[];
  readonly wallSeconds: number;
  readonly baseline: Baseline | null;
  /** Of the last nodes. */
  readonly cheats?: readonly Cheat[];
}

export function reportOf(outcome: Outcome): Report {
  const { preset, seed, all, live, killed, wallSeconds, baseline } = outcome;
  const first = live[0];
  assert(first !== undefined, "a run that nobody finished has no report");
  const phases = phaseReports(live);
  const gates = live.map((status) => status.gates);
  return {
    preset,
    seed,
    nodesCount: all.length,
    roundsSettled: first.settled?.round ?? 0,
    stateRoots: live.flatMap(({ peerId, settled }) =>
      settled === null ? [] : [{ peer: peerId, round: settled.round, root: settled.root }],
    ),
    validationLossFirstNats: first.validationLossFirstNats,
    validationLossLastNats: first.validationLossLastNats,
    phases,
    phasesAgree: phasesAgree(live),
    climbFaults: phases.length > 1 ? climbFaults(phases, baseline?.validationLossLastNats ?? null) : [],
    baselineValidationLossNats: baseline?.validationLossLastNats ?? null,
    baselineSteps: baseline?.steps ?? null,
    tokensTotal: first.tokensTotal,
    wallSeconds,
    trainingSeconds: mean(live.map((status) => status.trainingSeconds)) ?? 0,
    judgingSeconds: mean(gates.map(({ judgingSeconds }) => judgingSeconds)) ?? 0,
    judgedCount: total(gates.map(({ judged }) => judged)),
    refusedCount: total(gates.flatMap(({ refused }) => Object.values(refused))),
    bytesSentPerNode: all.map((status) => status?.bytesOut ?? 0),
    deltaBytesMean: mean(live.map((status) => status.deltaBytesMean)),
    deltaBytesDense: first.deltaBytesDense,
    pingP99Ms: worst(live.map((status) => status.pingP99Ms)),
    eventLoopDelayP99Ms: worst(live.map((status) => status.eventLoopDelayP99Ms)),
    killed,
    curve: fullest(live.map((status) => status.curve)),
    baselineCurve: baseline?.curve ?? null,
    cheats: cheatReports(outcome),
  };
}

/** Whether every node that lived to the end settled, and all of them the same, in every phase. */
export function rootsAgree({ stateRoots, nodesCount, killed, phasesAgree: inAll }: Report): boolean {
  if (!inAll) return false;
  const distinct = new Set(stateRoots.map(({ round, root }) => `${round} ${root}`));
  return stateRoots.length === nodesCount - killed.length && distinct.size === 1;
}

function cheatReports({ all, live, cheats = [] }: Outcome): CheatReport[] {
  const hostile = all.slice(all.length - cheats.length).map((status) => status?.peerId);
  const honest = live.filter(({ peerId }) => !hostile.includes(peerId));
  return hostile.flatMap((peer, i) => {
    const kind = cheats[i];
    if (peer === undefined || kind === undefined) return [];
    const includedShares = honest.map(({ authors }) => {
      const author = authors.find(({ peerId }) => peerId === peer);
      return author === undefined || author.heard === 0 ? null : author.included / author.heard;
    });
    return [{ peer, kind, includedShare: worst(includedShares), includedShares }];
  });
}

/** A node that came late or fell behind has seen fewer points of the same curve. */
function fullest(curves: readonly (readonly CurvePoint[])[]): readonly CurvePoint[] {
  return curves.toSorted((a, b) => b.length - a.length)[0] ?? [];
}

/** Of those that are known. */
function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : total(known) / known.length;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function worst(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

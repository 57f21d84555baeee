/** What a scenario's run is judged by. */
import { type Contribution, WAITING_MAX } from "../../src/consensus/index.ts";
import type { ContributionId } from "../../src/core/index.ts";
import type { FlockNode } from "./flock-node.ts";
import type { Flock } from "./flock.ts";
import type { Scenario } from "./scenario.ts";

export interface Report {
  readonly scenario: string;
  readonly peersCount: number;
  readonly roundsCount: number;
  readonly seed: string;
  /** Every round that honest peers settled, they settled on one root. */
  readonly rootsEqual: boolean;
  /** The least rounds that an honest peer that runs has settled. */
  readonly settledRoundsMin: number;
  /** The most rounds in a row that a live honest peer connected to the majority published nothing in. */
  readonly stalledRoundsMax: number;
  /** Of what such peers trained in settled rounds. */
  readonly honestIncludedShare: number;
  /** Of the voting weight, as the one furthest along has settled it. */
  readonly hostileWeightShare: number;
  /** The most headers that waited for parents at one peer. */
  readonly waitingMax: number;
  /** The most contributions of one round that one peer kept. */
  readonly roundMax: number;
  readonly messages: number;
  readonly bytes: number;
  readonly wallSeconds: number;
  readonly transcriptHash: string;
  /** Which checks failed, in words; none: it holds. */
  readonly failures: readonly string[];
}

/** A live honest peer never lets more of its rounds pass without publishing. From: the project's issue R5. */
const STALLED_ROUNDS_MAX = 2;
/** Kept per round for each member: four strangers, one that is known, and the strangers that some member cites. */
const ROUND_FACTOR = 5;
const STRANGERS_SHARE = 1 / 8;

export interface Run {
  readonly scenario: Scenario;
  readonly flock: Flock;
  readonly roundsCount: number;
  readonly seed: string;
  readonly wallSeconds: number;
  /** Why it did not come to its last round. */
  readonly stall?: string;
}

export function reportOf(run: Run): Report {
  const { scenario, flock, roundsCount, seed } = run;
  const { up, nodes, honest } = flock;
  const roots = [...flock.settledRoots().values()];
  const numbers = {
    rootsEqual:
      roots.every(({ size }) => size === 1) && honest.every(({ settledTwice }) => settledTwice.length === 0),
    settledRoundsMin: Math.min(...up.map(({ settled }) => Math.max(0, ...settled.keys()))),
    stalledRoundsMax: flock.attendance.stalledRoundsMax(medianRound(flock)),
    honestIncludedShare: includedShare(flock),
    hostileWeightShare: hostileWeightShare(flock),
    waitingMax: Math.max(...honest.map(({ waitingMax }) => waitingMax)),
    roundMax: Math.max(...honest.map((node) => roundMaxOf(node.machine.graph))),
  };
  const { membersMax, settleDepth } = up[0].machine.view.context.rule;
  const failures = [
    run.stall,
    numbers.rootsEqual ? undefined : "honest peers settled on different roots",
    atLeast("rounds settled", numbers.settledRoundsMin, roundsCount - settleDepth - 1),
    atMost("rounds in a row without publishing", numbers.stalledRoundsMax, STALLED_ROUNDS_MAX),
    atLeast("share of honest work included", numbers.honestIncludedShare, scenario.includedShareMin),
    atMost(
      "voting weight of hostile peers",
      numbers.hostileWeightShare,
      scenario.hostileWeightShareMax ?? 1 / 3,
    ),
    atMost("headers waiting", numbers.waitingMax, WAITING_MAX),
    atMost(
      "contributions of one round",
      numbers.roundMax,
      (ROUND_FACTOR + STRANGERS_SHARE * membersMax) * membersMax,
    ),
  ];
  return {
    scenario: scenario.name,
    peersCount: nodes.length,
    roundsCount,
    seed,
    ...numbers,
    ...flock.network.traffic,
    wallSeconds: run.wallSeconds,
    transcriptHash: flock.transcript(),
    failures: failures.filter((failure) => failure !== undefined),
  };
}

function atLeast(what: string, value: number, least: number): string | undefined {
  return value >= least ? undefined : `expected ${what} to be at least ${least}, got ${round(value)}`;
}

function atMost(what: string, value: number, most: number): string | undefined {
  return value <= most ? undefined : `expected ${what} to be at most ${most}, got ${round(value)}`;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** The round of most of the honest nodes that run. */
function medianRound({ up }: Flock): number {
  const rounds = up.map(({ machine }) => machine.round).sort((a, b) => a - b);
  return rounds[rounds.length >> 1] ?? 0;
}

function roundMaxOf(graph: { roundsCount: number; round(round: number): readonly unknown[] }): number {
  let most = 0;
  for (let r = 0; r < graph.roundsCount; r++) most = Math.max(most, graph.round(r).length);
  return most;
}

function furthest({ up }: Flock): FlockNode {
  return up.reduce((a, b) => (b.machine.view.settledRound > a.machine.view.settledRound ? b : a));
}

function hostileWeightShare(flock: Flock): number {
  const { view } = furthest(flock).machine;
  const honest = new Set(flock.honest.map(({ peer }) => peer));
  let [all, hostile] = [0, 0];
  for (const [author, weight] of view.voters()) {
    all += weight;
    if (!honest.has(author)) hostile += weight;
  }
  return all === 0 ? 0 : hostile / all;
}

/** Of what honest nodes trained while they were there, in the rounds that the one furthest along has settled. */
function includedShare(flock: Flock): number {
  const { settledRound } = furthest(flock).machine.view;
  const included = new Set<ContributionId>();
  for (let r = 0; r < settledRound; r++) for (const { id } of includedBy(flock, r)) included.add(id);
  const trained = flock.honest.flatMap((node) =>
    node.published.filter(
      ({ header }) =>
        header.delta !== null && header.round < settledRound && flock.attendance.has(node, header.round),
    ),
  );
  if (trained.length === 0) return 1;
  return trained.filter(({ id }) => included.has(id)).length / trained.length;
}

/** As the one furthest along saw it, or where it began later, somebody else. */
function includedBy(flock: Flock, round: number): readonly Contribution[] {
  for (const node of [furthest(flock), ...flock.up]) {
    const included = node.included(round);
    if (included !== undefined) return included;
  }
  return [];
}

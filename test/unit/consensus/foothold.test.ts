/** A machine that has all headers and folds from a settled state on comes to the same history as one that folds from the start. */
import { expect, test } from "vitest";
import {
  type Contribution,
  type Effect,
  type UnsignedHeader,
  Machine,
  type SettledState,
  batchSeed,
  phaseEndIn,
  settledStates,
  viewOn,
} from "../../../src/consensus/index.ts";
import { Flock } from "../../support/flock.ts";
import { digestOfText, peerOf, runOf } from "../../support/run-of.ts";
import { History, type Made } from "./support.ts";

const RULE = { settleDepth: 4, weightWindow: 6 };
const PATIENCE_MS = 2 ** 40;
const ids = (included: readonly Contribution[]): string[] => included.map(({ id }) => id);

/** All headers of another machine; bodies from a round on; then on as far as it goes. */
function replayed(
  machine: Machine,
  from: Machine,
  o: { foothold?: SettledState; bodiesFrom: number },
): Effect[] {
  const effects: Effect[] = [];
  for (const { id, header } of allOf(from))
    effects.push(...machine.handle({ kind: "header", id, header, nowMs: 0 }));
  if (o.foothold) effects.push(...machine.handle({ kind: "foothold", state: o.foothold, nowMs: 0 }));
  effects.push(...machine.handle({ kind: "begin", nowMs: 0 }));
  for (const { id, header } of allOf(from))
    if (header.round >= o.bodiesFrom) machine.handle({ kind: "body", id, passed: true, nowMs: 0 });
  for (let round = -1, nowMs = PATIENCE_MS; machine.round > round; nowMs += PATIENCE_MS) {
    round = machine.round;
    effects.push(...machine.handle({ kind: "tick", nowMs }));
  }
  return effects;
}

const allOf = ({ graph }: Machine): Contribution[] =>
  Array.from({ length: graph.roundsCount }, (_, r) => [...graph.round(r)]).flat();

function pulledFrom(effects: readonly Effect[]): number {
  const rounds = effects.flatMap((e) => (e.kind === "pull" ? [e.contribution.header.round] : []));
  return Math.min(...rounds);
}

function settledFlock(seed: string): { flock: Flock; whole: Machine; state: SettledState } {
  const flock = new Flock({ seed, nodesCount: 4, rule: RULE });
  flock.untilRound(14);
  const whole = flock.nodes[0].machine;
  const state = whole.settled;
  if (state === undefined) throw new Error("expected a settled state");
  flock.untilRound(26);
  return { flock, whole, state };
}

test.each(["one", "two"])(
  "S4 S12 %s: from a settled state on, without the bodies of before, history is the same",
  (seed) => {
    const { flock, whole, state } = settledFlock(seed);
    const { run } = flock.nodes[0].options;
    const self = flock.peer(0);
    const late = new Machine({ ...run, self });
    const effects = replayed(late, whole, { foothold: state, bodiesFrom: state.round });
    const full = new Machine({ ...run, self });
    expect(pulledFrom(replayed(full, whole, { bodiesFrom: 0 }))).toBe(0);
    expect(pulledFrom(effects)).toBe(state.round);
    expect(late.round).toBe(full.round);
    expect(late.round).toBeGreaterThan(state.round + RULE.settleDepth);
    for (let r = 0; r < late.round; r++)
      expect(ids(late.view.included(r))).toEqual(ids(full.view.included(r)));
    expect(late.view.accountsAt(late.view.settledRound)).toEqual(
      full.view.accountsAt(full.view.settledRound),
    );
  },
);

test("S12 bodies that nobody has any more: a settled state takes their place while the machine waits for them", () => {
  const { flock, whole, state } = settledFlock("late");
  const late = new Machine({ ...flock.nodes[0].options.run, self: flock.peer(0) });
  replayed(late, whole, { bodiesFrom: state.round });
  const stuckAt = late.round;
  late.handle({ kind: "foothold", state, nowMs: 2 * PATIENCE_MS });
  for (let i = 3; i < 60; i++) late.handle({ kind: "tick", nowMs: i * PATIENCE_MS });
  expect(late.round).toBeGreaterThan(stuckAt);
  expect(late.round).toBe(whole.round);
});

test("S3 the states to go on from are those of the history that weighs most, and none that it does not name", () => {
  const { flock, whole, state } = settledFlock("names");
  const names = [...settledStates(whole.graph)];
  expect(names.map(({ round }) => round)).toEqual(names.map((_, i) => (names[0]?.round ?? 0) - i));
  expect(names).toContainEqual({ round: state.round, root: state.root });
  const options = { rule: { ...flock.nodes[0].options.run.rule }, self: flock.peer(0) };
  expect(viewOn(whole.graph, state, options)?.settledRound).toBe(state.round);
  expect(viewOn(whole.graph, { round: state.round, root: digestOfText("other") }, options)).toBeUndefined();
});

test("S3 S5 a light history that races a hundred rounds ahead of all others does not hide the heavy one", () => {
  const history = new History(runOf({ seed: "racer", founders: ["ada", "bob", "cyd"].map(peerOf) }));
  const change = (h: UnsignedHeader): UnsignedHeader => {
    const root = h.settled.round === 0 ? h.settled.root : digestOfText(`other/${h.settled.round}`);
    const data = batchSeed(root, h.round, h.author);
    return { ...h, settled: { ...h.settled, root }, work: { ...h.work, data } };
  };
  let [honest, racer]: [Made[], Made[]] = [[], []];
  for (let r = 0; r < 130; r++) {
    if (r < 30) honest = ["ada", "bob"].map((name) => history.add(name, honest));
    racer = [history.add("cyd", racer, { change })];
  }
  const [newest] = settledStates(history.graph);
  expect(newest?.root).toBe(digestOfText(`settled/${newest?.round}`));
});

test("S3 who races ahead alone, while nothing of others' rounds has settled, leads nobody: their weight must have gone on", () => {
  const history = new History(runOf({ seed: "lone", founders: ["ada", "bob", "cyd"].map(peerOf) }));
  const { settleDepth } = history.options.rule;
  let honest: Made[] = [];
  for (let r = 0; r < 30; r++) honest = ["ada", "bob", "cyd"].map((name) => history.add(name, honest));
  let racer = honest;
  // For so long that all weight is its own in its own history.
  for (let r = 30; r < 130; r++) racer = [history.add("eve", racer)];
  const newest = (share?: number): number | undefined =>
    [...settledStates(history.graph, share === undefined ? share : { share, sinceRound: 0 })][0]?.round;
  expect(newest()).toBe(129 - settleDepth);
  for (const share of [0, 1 / 3, 1 / 2]) expect(newest(share)).toBe(29 - settleDepth);
});

test("S5 where three of five died at once, what the other two went on in is behind a third of the weight, not behind half", () => {
  const all = ["ada", "bob", "cyd", "dee", "eve"];
  const history = new History(runOf({ seed: "wave", founders: all.map(peerOf) }));
  const { settleDepth } = history.options.rule;
  let round: Made[] = [];
  for (let r = 0; r < 60; r++)
    round = (r < 20 ? all : all.slice(0, 2)).map((name) => history.add(name, round));
  const newest = (share: number, sinceRound = 0): number | undefined =>
    [...settledStates(history.graph, { share, sinceRound })][0]?.round;
  expect(newest(1 / 2)).toBe(19 - settleDepth);
  expect(newest(1 / 3)).toBe(59 - settleDepth);
  // What is taken as it is needs nobody behind it.
  expect(newest(1 / 2, 40)).toBe(59 - settleDepth);
});

test("P1 S3 who races ahead alone ends no phase: somebody who weighs must have gone on in what it ends with", () => {
  const all = ["ada", "bob", "cyd"];
  const history = new History(runOf({ seed: "early", founders: all.map(peerOf) }));
  const perHeader = 10 * history.options.limits.tokensPerStep;
  let round: Made[] = [];
  for (let r = 0; r < 30; r++) round = all.map((name) => history.add(name, round));
  const endOf = (budget: number): number | undefined =>
    phaseEndIn(history.graph, budget, { share: 0, sinceRound: 0 })?.round;
  expect(endOf(3 * 20 * perHeader)).toBe(20);
  let racer = round;
  for (let r = 30; r < 130; r++) racer = [history.add("eve", racer)];
  expect(endOf(3 * 20 * perHeader)).toBe(20);
  expect(endOf(3 * 29 * perHeader)).toBeUndefined();
  for (let r = 30; r < 40; r++) round = all.map((name) => history.add(name, round));
  expect(endOf(3 * 29 * perHeader)).toBe(29);
});

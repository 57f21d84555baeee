/** A machine that starts from a settled state judges all that came since like one that has seen it all. */
import { expect, test } from "vitest";
import { equivocator } from "../../../scripts/simulate/strategies/equivocate.ts";
import { type Contribution, Machine, type View, settledRoot } from "../../../src/consensus/index.ts";
import type { Digest } from "../../../src/core/index.ts";
import { Flock } from "../../support/flock.ts";
import { digestOfText } from "../../support/run-of.ts";

const BAD_NETWORK = { lossShare: 0.1, duplicateShare: 0.2, latencyMs: { min: 20, max: 1000 } };
const PATIENCE_MS = 2 ** 40;

/** Everybody of `machine` from a round on, and the view that another machine comes to with it. */
function replayed(machine: Machine, from: Machine): View {
  for (let r = 0; r < from.graph.roundsCount; r++) {
    for (const { id, header } of from.graph.round(r)) {
      machine.handle({ kind: "body", id, passed: true, nowMs: 0 });
      machine.handle({ kind: "header", id, header, nowMs: 0 });
    }
  }
  machine.handle({ kind: "begin", nowMs: 0 });
  for (let round = -1, nowMs = PATIENCE_MS; machine.round > round; nowMs += PATIENCE_MS) {
    round = machine.round;
    machine.handle({ kind: "tick", nowMs });
  }
  return machine.view;
}

const ids = (included: readonly Contribution[]): string[] => included.map(({ id }) => id);

test.each(["one", "two", "three"])(
  "R3 %s: from a settled state and the headers since come the same sets, terms, weights and settled roots",
  (seed) => {
    const rule = { settleDepth: 4, weightWindow: 6 };
    const strategy = (i: number): ReturnType<typeof equivocator> | undefined =>
      i === 4 ? equivocator() : undefined;
    const flock = new Flock({ seed, nodesCount: 5, rule, strategy, ...BAD_NETWORK });
    flock.untilRound(16);
    const whole = flock.nodes[0].machine;
    const base = whole.base;
    if (base === undefined) throw new Error("expected a settled state to start from");
    flock.untilRound(28);
    // The equivocator's proofs name headers of before.
    const { run } = flock.nodes[0].options;
    const self = flock.peer(0);
    const late = new Machine({ ...run, base, self });
    const [ours, theirs] = [replayed(late, whole), replayed(new Machine({ ...run, self }), whole)];
    expect(ours.round).toBe(theirs.round);
    expect(ours.round).toBeGreaterThan(base.round + rule.settleDepth);
    for (let r = base.round; r < ours.round; r++) {
      expect(ids(ours.included(r))).toEqual(ids(theirs.included(r)));
      expect(ours.terms(r)).toEqual(theirs.terms(r));
    }
    expect(new Map(ours.voters())).toEqual(new Map(theirs.voters()));
    expect(ours.includedTokens()).toBe(theirs.includedTokens());
    for (let r = base.round - rule.settleDepth; r <= ours.settledRound; r++)
      expect(new Map(ours.tableAt(r))).toEqual(new Map(theirs.tableAt(r)));
    for (let round = base.round; round <= ours.settledRound; round++) {
      const [a, b] = [ours, theirs].map((view) =>
        settledRoot({
          run: run.run,
          phase: 0,
          round,
          weightsRoot: base.weightsRoot,
          accounts: view.accountsAt(round),
        }),
      );
      expect(a).toBe(b);
    }
  },
);

test("R3 only histories that extend the settled state are linked", () => {
  const flock = new Flock({ seed: "other", nodesCount: 4, rule: { settleDepth: 4 } });
  flock.untilRound(14);
  const { machine, options, peer } = flock.nodes[0];
  const { base } = machine;
  if (base === undefined) throw new Error("expected a settled state to start from");
  const roots = base.roots.map((root) => digestOfText(root));
  const late = new Machine({
    ...options.run,
    base: { ...base, roots },
    self: peer,
  });
  for (let r = 0; r < machine.graph.roundsCount; r++) {
    for (const { id, header } of machine.graph.round(r)) {
      const [effect] = late.handle({ kind: "header", id, header, nowMs: 0 });
      const before = header.round < base.round;
      if (header.round <= base.round) {
        expect(effect).toMatchObject({
          kind: "refuse",
          why: { code: before ? "HEADER_BEFORE_BASE" : "HEADER_OTHER_HISTORY" },
        });
      }
    }
  }
  expect(late.graph.round(base.round)).toEqual([]);
});

test("S3 with a landmark, histories that have another settled root there are not taken in", () => {
  const flock = new Flock({ seed: "landmark", nodesCount: 4, rule: { settleDepth: 4 } });
  flock.untilRound(14);
  const { machine, options } = flock.nodes[0];
  const { base } = machine;
  if (base === undefined) throw new Error("expected a settled state to name");
  flock.untilRound(20);
  const self = flock.peer(0);
  const taken = (root: Digest): number => {
    const landmark = { round: base.round, root };
    const late = new Machine({ ...options.run, landmark, self });
    replayed(late, machine);
    return late.graph.round(base.round + 4).length;
  };
  expect(taken(base.root)).toBeGreaterThan(0);
  expect(taken(digestOfText("other"))).toBe(0);
});

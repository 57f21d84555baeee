import { describe, expect, test } from "vitest";
import { stepsPerNode } from "../../../scripts/testnet/baseline.ts";
import { type Outcome, type Report, reportOf, rootsAgree } from "../../../scripts/testnet/report.ts";
import { summaryOf } from "../../../scripts/testnet/summary.ts";
import type { Digest, PeerId } from "../../../src/core/index.ts";
import type { NodeStatus } from "../../../src/node/status.ts";
import { aStatus } from "../../support/status.ts";

function settledAt(round: number, letter: string): Pick<NodeStatus, "settled"> {
  return { settled: { round, root: letter.repeat(64) as Digest, weightsRoot: "0".repeat(64) as Digest } };
}

/** Node 1 killed with a last word, three that lived. */
function outcome(live: readonly NodeStatus[], overrides: Partial<Outcome> = {}): Outcome {
  const all = [aStatus({ bytesOut: 500, stepsSettled: 20 }), ...live];
  return {
    preset: "flight",
    seed: 1,
    all,
    live,
    killed: ["node-1"],
    wallSeconds: 100,
    baseline: null,
    ...overrides,
  };
}

const threeAlike = [1, 2, 3].map((k) =>
  aStatus({
    ...settledAt(20, "a"),
    peerId: `peer-${k}` as PeerId,
    bytesOut: 1000 * k,
    stepsSettled: 40 * k,
    trainingSeconds: 10 * k,
    pingP99Ms: k,
    eventLoopDelayP99Ms: 10 - k,
    deltaBytesMean: k === 3 ? null : 100 * k,
    curve: Array.from({ length: k }, (_, round) => ({ round, tokens: round, validationLossNats: 5 - round })),
  }),
);

describe("reportOf()", () => {
  test("has the settled root of each that lived, bytes of all, means and worsts", () => {
    const report = reportOf(outcome(threeAlike));
    expect(report).toMatchObject({
      nodesCount: 4,
      roundsSettled: 20,
      bytesSentPerNode: [500, 1000, 2000, 3000],
      trainingSeconds: 20,
      judgingSeconds: expect.closeTo(0.4) as number,
      judgedCount: 99,
      refusedCount: 6,
      deltaBytesMean: 150,
      pingP99Ms: 3,
      eventLoopDelayP99Ms: 9,
      killed: ["node-1"],
      baselineValidationLossNats: null,
    });
    expect(report.stateRoots).toEqual(
      [1, 2, 3].map((k) => ({ peer: `peer-${k}`, round: 20, root: "a".repeat(64) })),
    );
    expect(report.curve).toHaveLength(3);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test.each([
    ["the same", threeAlike, true],
    ["another root", [...threeAlike.slice(1), aStatus(settledAt(20, "b"))], false],
    ["another round", [...threeAlike.slice(1), aStatus(settledAt(19, "a"))], false],
    ["nothing settled", [...threeAlike.slice(1), aStatus({ settled: null })], false],
  ])("nodes that settled %s: agree is %j", (_, live, agree) => {
    expect(rootsAgree(reportOf(outcome(live as NodeStatus[])))).toBe(agree);
  });
});

test("E5 the report has what honest nodes say of each hostile one, the worst first of all", () => {
  const cheater = aStatus({ peerId: "cheater" as PeerId, ...settledAt(20, "a") });
  const says = (included: number): NodeStatus["authors"] => [
    { peerId: "cheater" as PeerId, heard: 8, included },
  ];
  const honest = [0, 2].map((included, k) => aStatus({ ...threeAlike[k], authors: says(included) }));
  // What it says of itself does not count.
  const live = [...honest, { ...cheater, authors: says(8) }];
  const report = reportOf(outcome(live, { cheats: ["flip"] }));
  expect(report.cheats).toEqual([
    { peer: "cheater", kind: "flip", includedShare: 0.25, includedShares: [0, 0.25] },
  ]);
  expect(reportOf(outcome(live)).cheats).toEqual([]);
});

test("F5 stepsPerNode() is the mean of the steps that each live node has in the settled weights, and at least one", () => {
  expect(stepsPerNode([{ stepsSettled: 50 }, { stepsSettled: 60 }, { stepsSettled: 71 }])).toBe(60);
  expect(stepsPerNode([{ stepsSettled: 0 }])).toBe(1);
  expect(stepsPerNode([])).toBe(1);
});

describe("P3 a climb in the report", () => {
  const root = (letter: string): Digest => letter.repeat(64) as Digest;
  const peers = ["one", "two"] as unknown as readonly PeerId[];
  /** Two phases; the first has one seat, and node `two` came later. */
  const climber = (peer: number, lossLast: number, endRoot = root("b")): NodeStatus =>
    aStatus({
      ...settledAt(9, "c"),
      peerId: peers[peer] as PeerId,
      phases: [
        {
          phase: 0,
          parameters: 10,
          roundsSettled: 7,
          startRoot: root("a"),
          endRoot,
          lossFirst: 5,
          lossLast: 3,
          admitted: peers.slice(0, 1 + peer),
          rank: 1 + peer,
          seats: 1,
        },
        {
          phase: 1,
          parameters: 20,
          roundsSettled: 9,
          startRoot: root("b"),
          endRoot: root("c"),
          lossFirst: 3,
          lossLast,
          admitted: [],
          rank: peer === 0 ? 1 : null,
          seats: null,
        },
      ],
    });
  const reported = (live: NodeStatus[], aloneNats: number | null = null): Report =>
    reportOf(
      outcome(live, {
        all: live,
        killed: [],
        baseline: aloneNats === null ? null : { steps: 1, validationLossLastNats: aloneNats, curve: [] },
      }),
    );

  test("every phase with both roots, losses, who went on and who stayed", () => {
    const report = reported([climber(0, 2), climber(1, 2)], 2.5);
    expect(report.phases).toMatchObject([
      { phase: 0, startRoot: root("a"), endRoot: root("b"), admitted: peers, leftBehind: ["two"] },
      { phase: 1, startRoot: root("b"), endRoot: root("c"), lossLast: 2, admitted: [], leftBehind: [] },
    ]);
    expect(report).toMatchObject({ phasesAgree: true, climbFaults: [] });
    expect(rootsAgree(report)).toBe(true);
    const text = summaryOf({ report, sample: "", exportDir: "", reportPath: "" });
    expect(text).toContain("5.000 -> 3.000, start aaaaaaaa, end bbbbbbbb, 1 went on, 1 later");
  });

  test("one that ended a phase elsewhere makes roots differ, even with equal roots at the end", () => {
    const report = reported([climber(0, 2), climber(1, 2, root("d"))]);
    expect(report.phasesAgree).toBe(false);
    expect(rootsAgree(report)).toBe(false);
  });

  test.each([
    ["no lower than it started", [climber(0, 3), climber(1, 3)], null, 2],
    ["nobody was left behind", [climber(0, 2)], null, 1],
    ["one node alone", [climber(0, 2), climber(1, 2)], 1.9, 1],
  ])("a fault is named: %s", (fault, live, aloneNats, count) => {
    const { climbFaults } = reported(live as NodeStatus[], aloneNats);
    expect(climbFaults.join()).toContain(fault);
    expect(climbFaults).toHaveLength(count);
  });
});

describe("summaryOf()", () => {
  const paths = { exportDir: "/x/export", reportPath: "/x/report.json" };

  test("says that roots are identical, the loss of flock and node alone, who was killed, where things are", () => {
    const baseline = { steps: 65, validationLossLastNats: 3.25, curve: [] };
    const live = threeAlike.map((status) => ({ ...status, validationLossLastNats: 2.75 }));
    const text = summaryOf({ report: reportOf(outcome(live, { baseline })), sample: "Call me", ...paths });
    for (const part of [
      "identical on all 3",
      "5.545 -> 2.750",
      "3.250",
      "65 steps",
      "node-1",
      ...Object.values(paths),
    ])
      expect(text).toContain(part);
    expect(text).toContain("  | Call me");
  });

  test("says when roots differ", () => {
    const live = [...threeAlike.slice(1), aStatus(settledAt(20, "b"))];
    const text = summaryOf({ report: reportOf(outcome(live)), sample: "", ...paths });
    expect(text).toContain("DIFFER between 3 live nodes: aaaaaaaa (20) aaaaaaaa (20) bbbbbbbb (20)");
  });

  test("a sample cannot reach the terminal with escape sequences", () => {
    const sample = "a\u001b[2Jb\u0007c\r\u009bd\ne";
    const text = summaryOf({ report: reportOf(outcome(threeAlike)), sample, ...paths });
    expect(text).toContain("  | a·[2Jb·c··d\n  | e\n");
  });
});

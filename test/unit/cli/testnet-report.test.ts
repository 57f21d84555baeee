import { describe, expect, test } from "vitest";
import { stepsPerNode } from "../../../scripts/testnet/baseline.ts";
import { type Outcome, reportOf, rootsAgree } from "../../../scripts/testnet/report.ts";
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

test("F5 stepsPerNode() is the mean of the steps that each live node has in the settled weights, and at least one", () => {
  expect(stepsPerNode([{ stepsSettled: 50 }, { stepsSettled: 60 }, { stepsSettled: 71 }])).toBe(60);
  expect(stepsPerNode([{ stepsSettled: 0 }])).toBe(1);
  expect(stepsPerNode([])).toBe(1);
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

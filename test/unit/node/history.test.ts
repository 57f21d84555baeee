/** R9: nodes on a bad network, each with other headers in its folder, read the same credits off them. */
import { expect, test } from "vitest";
import {
  type Contribution,
  type MachineOptions,
  type View,
  creditLines,
  trainedRound,
} from "../../../src/consensus/index.ts";
import { replay } from "../../../src/node/offline/history.ts";
import { Flock } from "../../support/flock.ts";
import { runOf } from "../../support/run-of.ts";

const BAD_NETWORK = { lossShare: 0.1, duplicateShare: 0.2, latencyMs: { min: 20, max: 1000 } };
const NODES = 4;
const ROUNDS = 8;
/** As many as the flock's model has. */
const PARAMETERS = 64;

function minted(view: View): string[] {
  const range = { fromRound: 0, untilRound: trainedRound(view) };
  return [...creditLines(view, { perToken: 3 }, range)].map((line) =>
    JSON.stringify({ ...line, credits: String(line.credits) }),
  );
}

/** What a node's folder holds, in the order in which the folder gives it back. */
function stored({ machine: { graph } }: Flock["nodes"][number]): Contribution[] {
  return Array.from({ length: graph.roundsCount }, (_, round) =>
    graph.round(round).toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  ).flat();
}

function optionsOf(seed: string, self: MachineOptions["self"]): MachineOptions {
  const rule = { startPeers: NODES, settleDepth: 3 };
  const limits = { tokensBudget: ROUNDS * NODES * 5000 };
  return { ...runOf({ seed, rule, limits, start: new Int32Array(PARAMETERS) }), self };
}

const seeds = Array.from({ length: 6 }, (_, i) => `credits ${i}`);

test.each(seeds)(
  "R9 %s: at any moment, what two folders tell is equal as far as both have settled",
  (seed) => {
    const flock = new Flock({
      seed,
      nodesCount: NODES,
      rule: { settleDepth: 3 },
      limits: { tokensBudget: ROUNDS * NODES * 5000 },
      ...BAD_NETWORK,
    });
    let longest: string[] = [];
    const look = (): void => {
      for (const node of flock.nodes) {
        for (const view of [node.machine.view, replay(optionsOf(seed, node.peer), stored(node))]) {
          const lines = minted(view);
          const common = Math.min(lines.length, longest.length);
          expect(lines.slice(0, common)).toEqual(longest.slice(0, common));
          if (lines.length > common) longest = lines;
        }
      }
    };
    for (let round = 3; round <= ROUNDS; round += 2) {
      flock.until(() => flock.nodes.some(({ machine }) => machine.round >= round));
      look();
    }
    flock.untilFinished();
    look();
    // At the end all folders tell everything that was ever minted.
    for (const node of flock.nodes) {
      const view = replay(optionsOf(seed, node.peer), stored(node));
      expect(minted(view)).toEqual(longest);
      expect(trainedRound(view)).toBe(node.finishedRound);
    }
    expect(longest.length).toBeGreaterThan(ROUNDS);
  },
);

test("R9 a folder without headers has no history", () => {
  const view = replay(optionsOf("empty", "nobody" as MachineOptions["self"]), []);
  expect(trainedRound(view)).toBe(0);
});

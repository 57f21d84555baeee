/** N2 with real nodes: a pause acts within one step and loses nothing; who leaves has given all its work away. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Manifest, StarlingNode } from "../../../src/node/index.ts";
import { DEADLINE_MS, Flock, settledRoots, until } from "../../support/nodes.ts";

let dir: string;
let textPath: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "pause-"));
  textPath = join(dir, "text.txt");
  await writeFile(textPath, "Call me Ishmael. Some years ago, never mind how long precisely. ".repeat(500));
});
afterAll(async () => rm(dir, { recursive: true, force: true }));

/** Rounds of so many steps that nobody waits for their end. */
function longRounds(manifest: Manifest): Manifest {
  const phases = manifest.phases.map((phase) => ({
    ...phase,
    tokensBudget: 2 ** 40,
    batch: { ...phase.batch, stepsPerRound: 100_000, stepsMax: 100_000 },
    roundMsMax: 3_600_000,
  }));
  return { ...manifest, phases };
}

/** Resolves when some steps of a round must be done. */
async function stepping(node: StarlingNode): Promise<void> {
  const trainedMs = (): number => node.snapshot().rounds.at(-1)?.trainMs ?? 0;
  await expect.poll(trainedMs, { timeout: DEADLINE_MS }).toBeGreaterThan(100);
}

test(
  "N2 pause ends the step, publishes what was learned, and trains no more",
  { timeout: DEADLINE_MS },
  async () => {
    await using flock = await Flock.create({ textPath, startPeers: 1, rounds: 4, change: longRounds });
    const node = await flock.start(0);
    await stepping(node);
    node.pause();
    const paused = await until(node, ({ state }) => state === "paused", "a pause");
    expect(paused).toMatchObject({
      pausedWhy: "by hand",
      contributionsPublished: 1,
      contributionsIncluded: 1,
    });
    const { trainingSeconds } = paused;
    node.resume();
    await stepping(node);
    node.pause();
    const again = await until(node, ({ state }) => state === "paused", "another pause");
    expect(again.trainingSeconds).toBeGreaterThan(trainingSeconds);
    await node.stop();
    const { graph } = await flock.history(0);
    const steps = graph.of(node.peerId).map(({ header }) => header.work.steps);
    expect(steps.length).toBeGreaterThanOrEqual(1);
    for (const count of steps) {
      expect(count).toBeGreaterThanOrEqual(1);
      expect(count).toBeLessThan(100_000);
    }
  },
);

test(
  "N2 a node that was paused comes back to the others' history and ends with their weights",
  { timeout: DEADLINE_MS },
  async () => {
    await using flock = await Flock.create({ textPath, startPeers: 2, rounds: 12 });
    const [one, other] = await flock.startAll(2);
    if (one === undefined || other === undefined) throw new Error("expected two nodes");
    await until(other, ({ round }) => round >= 2, "two rounds");
    other.pause();
    const { round } = await until(other, ({ state }) => state === "paused", "a pause");
    // The others go on without it, after their patience.
    await until(one, (status) => status.round > round, "another round");
    other.resume();
    expect((await settledRoots([one, other])).size).toBe(1);
    const { contributionsIncluded, pausedWhy } = other.status();
    expect(contributionsIncluded).toBeGreaterThan(0);
    expect(pausedWhy).toBeNull();
  },
);

test(
  "N2 leave: when it resolves, another node cites what this one gave last",
  { timeout: DEADLINE_MS },
  async () => {
    await using flock = await Flock.create({ textPath, startPeers: 2, rounds: 200 });
    const [one, other] = await flock.startAll(2);
    if (one === undefined || other === undefined) throw new Error("expected two nodes");
    await until(other, ({ round }) => round >= 2, "two rounds");
    await other.farewell("cited");
    await other.stop();
    await one.stop();
    const { graph } = await flock.history(0);
    const last = graph.of(other.peerId).at(-1);
    const citers = graph
      .round((last?.header.round ?? 0) + 1)
      .filter(({ header }) => header.author === one.peerId);
    expect(citers.flatMap(({ header }) => header.parents)).toContain(last?.id);
  },
);

test("N2 a node at the wrong hour waits, answers, and can be stopped", { timeout: DEADLINE_MS }, async () => {
  await using flock = await Flock.create({ textPath, startPeers: 1, rounds: 2 });
  const hour = new Date().getHours();
  // Two hours from now, so that no test is slow enough to reach it.
  const hours = { from: (hour + 2) % 24, until: (hour + 3) % 24 };
  const node = await flock.start(0, { use: { hours, onlyWhenIdle: false, monthlyBytesMax: null } });
  const status = await until(node, ({ state }) => state === "paused", "a pause");
  expect(status.pausedWhy).toBe(`outside its hours (${hours.from}-${hours.until})`);
  expect(status.contributionsPublished).toBe(0);
  await node.stop();
});

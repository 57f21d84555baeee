/** N2: a node with several devices is one author among others. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEADLINE_MS, Flock, settledRoots } from "../../support/nodes.ts";

let dir: string;

beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "devices-"))));
afterAll(async () => rm(dir, { recursive: true, force: true }));

test(
  "N2 --devices: two devices are one identity with one contribution a round, and another node includes all their work",
  { timeout: DEADLINE_MS },
  async () => {
    const textPath = join(dir, "text.txt");
    await writeFile(textPath, "Call me Ishmael. Some years ago, never mind how long precisely. ".repeat(500));
    await using flock = await Flock.create({ textPath, startPeers: 2, rounds: 3 });
    const two = await flock.start(0, { devices: [0, 1] });
    const one = await flock.start(1);
    expect((await settledRoots([two, one])).size).toBe(1);
    expect([two.status().devicesCount, one.status().devicesCount]).toEqual([2, 1]);
    const { stepsSettled } = two.status();
    await Promise.all([two.stop(), one.stop()]);
    const { graph } = await flock.history(1);
    const work = graph.of(two.peerId).map(({ header }) => header.work);
    const [{ batch, model } = { batch: undefined, model: undefined }] = flock.manifest.phases;
    const first = work[0];
    expect(first).toMatchObject({ engine: "cpu x2" });
    expect(first?.tokens).toBe((first?.steps ?? 0) * (batch?.sequences ?? 0) * (model?.contextLength ?? 0));
    for (const { steps } of work) expect(steps).toBeLessThanOrEqual(batch?.stepsMax ?? 0);
    expect(stepsSettled).toBeGreaterThan(batch?.stepsPerRound ?? Infinity);
  },
);

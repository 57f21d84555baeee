/** F7: what a node has promised survives kill -9, whenever it comes. 200 kills: test/swarm/kill.test.ts. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, test } from "vitest";
import { endureKills } from "../support/kills.ts";

const KILLS = 3;

test(`F7 a node that is killed ${KILLS} times keeps its name, its headers, its moments and its residual`, async () => {
  const dir = await mkdtemp(join(tmpdir(), "starling-kill-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await endureKills({ dir, kills: KILLS, seed: "kill/1", shortLives: 0 });
});

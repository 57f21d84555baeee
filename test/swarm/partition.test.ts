/** S6: a firewall between two halves for longer than settleDepth, then none: one history, and nobody restarts. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import type { Manifest } from "../../src/node/index.ts";
import type { NodeStatus } from "../../src/node/status.ts";
import { Daemons } from "../support/daemons.ts";
import { Network, hasNamespaces } from "../support/netns.ts";

const HOSTS = [0, 1, 2, 3];
const DEADLINE_MS = 300_000;
const SETTLE_DEPTH = 4;
/** Rounds that TCP's own waiting, grown while it was cut, may sleep through. */
const ROUNDS_MAX = 5;

/** Rounds of four seconds, however fast the machine, and no end. */
const slow = (manifest: Manifest): Manifest => ({
  ...manifest,
  phases: manifest.phases.map((phase) => ({
    ...phase,
    tokensBudget: 1e12,
    roundMsMax: 4000,
    batch: { ...phase.batch, stepsPerRound: 20_000, stepsMax: 20_000 },
  })),
});

test.skipIf(!hasNamespaces)(
  "S6 a partition of several rounds heals into one history within 5 rounds",
  async () => {
    await using network = await Network.create(HOSTS.length);
    await using daemons = await Daemons.create(network, { startPeers: 4 }, slow);
    for (const host of HOSTS) await daemons.start(host, ["--local"]);
    const all = (fits: (status: NodeStatus) => boolean, what: string): Promise<NodeStatus[]> =>
      Promise.all(HOSTS.map((host) => daemons.until(host, fits, what, DEADLINE_MS)));
    const before = await all(({ round, peersCount }) => round >= 2 && peersCount === 3, "a flock of four");

    await network.cut([0, 1], [2, 3]);
    const cutRound = Math.max(...before.map(({ round }) => round));
    const apart = await all((s) => (s.settled?.round ?? 0) > cutRound + 1, "rounds settled on each side");
    expect(new Set(apart.map(({ settled }) => settled?.root)).size).toBeGreaterThan(1);
    await network.heal();
    const healRound = Math.max(...apart.map(({ round }) => round));

    const roots = new Map<number, Map<number, string>>();
    const isOne = (): boolean =>
      [...roots.values()].some((at) => at.size === HOSTS.length && new Set(at.values()).size === 1);
    const together = await Promise.all(
      HOSTS.map((host) =>
        daemons.until(
          host,
          ({ settled }) => {
            if (settled !== null && settled.round > healRound - SETTLE_DEPTH)
              roots.set(
                settled.round,
                (roots.get(settled.round) ?? new Map<number, string>()).set(host, settled.root),
              );
            return isOne();
          },
          "a settled root that all four have",
          DEADLINE_MS,
        ),
      ),
    );
    // A root of round r is known SETTLE_DEPTH rounds later.
    const oneAt = Math.min(
      ...[...roots].filter(([, at]) => new Set(at.values()).size === 1 && at.size === 4).map(([r]) => r),
    );
    process.stdout.write(`healed in round ${healRound}, one history from round ${oneAt} on\n`);
    expect(oneAt - healRound).toBeLessThanOrEqual(ROUNDS_MAX);
    expect(together.map(({ pid }) => pid)).toEqual(before.map(({ pid }) => pid));
    const logs = await Promise.all(HOSTS.map((host) => readFile(daemons.logPath(host), "utf8")));
    expect(logs.some((log) => log.includes("our history lost"))).toBe(true);
  },
);

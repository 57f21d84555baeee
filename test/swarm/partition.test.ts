/** S6: a firewall between two halves for longer than settleDepth, then none: one history, and nobody restarts. */
import { expect, test } from "vitest";
import type { PeerId } from "../../src/core/index.ts";
import { type Manifest, readLedgerOffline } from "../../src/node/index.ts";
import type { NodeStatus } from "../../src/node/status.ts";
import { Daemons } from "../support/daemons.ts";
import { Network, lacksNamespaces } from "../support/netns.ts";
import { Roots } from "../support/roots.ts";

const HOSTS = [0, 1, 2, 3];
const DEADLINE_MS = 240_000;
/** From the end of the partition to one history, by the foremost node's count. */
const ROUNDS_MAX = 5;

/** Rounds of five seconds, and no end. What is tried is the network: nobody's processor need be busy. */
const training = { stepMs: 100 };
const change = (manifest: Manifest): Manifest => ({
  ...manifest,
  phases: manifest.phases.map((phase) => ({
    ...phase,
    tokensBudget: 1e12,
    batch: { ...phase.batch, stepsPerRound: 50, stepsMax: 50 },
  })),
});

test.skipIf(lacksNamespaces)(
  "S6 a partition of several rounds heals into one history within 5 rounds, and the loser's work returns",
  async () => {
    await using network = await Network.create(HOSTS.length);
    await using daemons = await Daemons.create(network, { startPeers: HOSTS.length }, { change, training });
    for (const host of HOSTS) await daemons.start(host, { args: ["--local"] });
    const all = (fits: (status: NodeStatus) => boolean, what: string): Promise<NodeStatus[]> =>
      Promise.all(HOSTS.map((host) => daemons.until(host, fits, what, DEADLINE_MS)));
    const before = await all(({ round, peersCount }) => round >= 2 && peersCount === 3, "a flock of four");

    await network.cut([0, 1], [2, 3]);
    const cutRound = Math.max(...before.map(({ round }) => round));
    // Rounds beyond the cut have settled on either side: neither can simply go on in the other's history.
    await all(({ settled }) => (settled?.round ?? 0) > cutRound + 2, "rounds settled while it was cut");
    const apart = await all(() => true, "an answer");
    const rootsApart = new Map(apart.map(({ settled }) => [settled?.round, settled?.root]));
    await network.heal();
    const healRound = Math.max(...apart.map(({ round }) => round));

    const roots = new Roots();
    let roundNow = 0;
    const isOne = (): boolean => roots.common(HOSTS, cutRound + 1) !== undefined;
    const after = await Promise.all(
      HOSTS.map((host) =>
        daemons.until(
          host,
          (status) => {
            if (!isOne()) roundNow = Math.max(roundNow, status.round);
            roots.note(host, status);
            return isOne();
          },
          "a settled root that all four have",
          DEADLINE_MS,
        ),
      ),
    );
    process.stdout.write(
      `cut in round ${cutRound}, healed in round ${healRound}, one history in round ${roundNow}\n`,
    );
    expect(roundNow - healRound).toBeLessThanOrEqual(ROUNDS_MAX);
    expect(after.map(({ pid }) => pid)).toEqual(before.map(({ pid }) => pid));
    expect(rootsApart.size, "the halves had settled something else").toBeGreaterThan(1);

    const losers = [];
    for (const host of HOSTS) {
      const lines = await daemons.log(host);
      if (lines.some(({ msg }) => msg.startsWith("our history lost"))) losers.push(host);
    }
    expect([
      [0, 1],
      [2, 3],
    ]).toContainEqual(losers);
    // Every delta of the lost rounds goes into the next training's residual.
    for (const host of losers) {
      const returned = await daemons.untilLogged(host, "our work goes back into the residual", DEADLINE_MS);
      await daemons.stop(host);
      const author = after[host]?.peerId as PeerId;
      const own = await readLedgerOffline(daemons.dataDir(host), {
        filter: { author },
        onFinding: ({ code }) => expect.fail(code),
      });
      const lost = own.filter(({ why }) => why === "other history");
      process.stdout.write(`host ${host}: ${lost.length} contributions of the other history\n`);
      expect(lost.length).toBeGreaterThan(0);
      expect(returned["deltas"]).toBeGreaterThanOrEqual(lost.length);
    }
  },
);

/** S9: two nodes that cannot reach each other exchange deltas through a third. Real processes on hosts of their own. */
import { expect, test } from "vitest";
import { Daemons } from "../support/daemons.ts";
import { Network, lacksNamespaces } from "../support/netns.ts";

const DEADLINE_MS = 240_000;

test.skipIf(lacksNamespaces)(
  "S9 two nodes behind firewalls are peers through a third, and settle with it",
  async () => {
    await using network = await Network.create(3);
    await network.cut([1], [2]);
    await using daemons = await Daemons.create(network, { startPeers: 3, rounds: 3 });
    await daemons.start(0, { args: ["--local"] });
    await daemons.start(1, { args: ["--local", "--via-relay"] });
    await daemons.start(2, { args: ["--local", "--via-relay"] });
    // Each of them is connected to both others: to one of those only by relay.
    for (const host of [1, 2]) {
      const { addresses } = await daemons.until(
        host,
        (s) => s.peersCount === 2 && s.addresses.some((address) => address.includes("/p2p-circuit")),
        "two peers and a relayed address",
        DEADLINE_MS,
      );
      expect(addresses.some((address) => address.includes(`/ip4/${network.ip(0)}/`))).toBe(true);
    }
    const settled = [];
    for (const host of [0, 1, 2])
      settled.push(
        await daemons.until(host, ({ state }) => state === "finished", "the end of the run", DEADLINE_MS),
      );
    expect(new Set(settled.map((status) => status.settled?.root)).size).toBe(1);
    expect(settled.every(({ contributionsIncluded }) => contributionsIncluded > 0)).toBe(true);
  },
);

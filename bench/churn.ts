/**
 * S5: sixteen processes that really train the smallest preset, 30 % of them killed with SIGKILL and replaced every five rounds, for thirty
 * rounds: where everybody is at the end, whether their settled roots agree, and the memory of who stayed in round 30 and in
 * round 10. `npm run bench:churn`. Exit code 1 when roots differ, or memory grew by more than a tenth.
 */
import Table from "cli-table3";
import { Command } from "commander";
import { endureChurn } from "../test/support/churn.ts";

/** From: issue, S5. */
const GROWTH_MAX = 1.1;

const given = new Command("bench:churn")
  .option("--nodes <number>", "nodes", "16")
  .option("--replaced <number>", "of them each time", "5")
  .option("--rounds <number>", "the last one", "30")
  .option("--every <number>", "rounds from one time to the next", "5")
  .option("--steps <number>", "of training a round", "20")
  .option("--stayers <number>", "nodes that are never killed", "4")
  .parse()
  .opts<Record<"nodes" | "replaced" | "rounds" | "every" | "steps" | "stayers", string>>();
const nodes = Number(given.nodes);
const stayersCount = Number(given.stayers);
const { bytesEarly, bytesLate, stayed, alive, killedCount, disputed } = await endureChurn({
  nodes,
  replaced: Number(given.replaced),
  everyRounds: Number(given.every),
  earlyRound: 2 * Number(given.every),
  lastRound: Number(given.rounds),
  stayers: Array.from({ length: stayersCount }, (_, i) => nodes - stayersCount + i),
  stepsPerRound: Number(given.steps),
  deadlineMs: 3_600_000,
});
const growth = bytesLate.map((bytes, i) => bytes / (bytesEarly[i] ?? 0));
const table = new Table({
  head: ["who stayed", "memory early", "late", "ratio", "included"],
  style: { head: [], border: [] },
});
for (const [i, { contributionsIncluded, contributionsPublished }] of stayed.entries())
  table.push([
    String(i),
    `${((bytesEarly[i] ?? 0) / 1e6).toFixed(0)} MB`,
    `${((bytesLate[i] ?? 0) / 1e6).toFixed(0)} MB`,
    (growth[i] ?? 0).toFixed(2),
    `${contributionsIncluded} of ${contributionsPublished}`,
  ]);
process.stdout.write(`${table.toString()}\n`);
const rounds = alive.map(({ round }) => round).toSorted((a, b) => a - b);
process.stdout.write(
  `${killedCount} killed; rounds of the ${alive.length} at the end: ${rounds.join(" ")}; ` +
    `settled roots that differ: ${disputed.length}\n`,
);
if (disputed.length > 0 || Math.max(...growth) > GROWTH_MAX) process.exitCode = 1;

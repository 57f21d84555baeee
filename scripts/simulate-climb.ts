/**
 * The phase boundary with hundreds of peers: `npm run simulate:climb`. Exit code 1 when a climb does not end as it must. The
 * state machines, ends, ranks and admissions are the node's own; time, the network and what is learned are made up.
 */
import { writeFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { wholeNumber } from "../src/cli/arguments.ts";
import { systemClock } from "../src/core/index.ts";
import { CLIMBS, type ClimbReport, runClimb } from "./simulate/climb/climbs.ts";

interface Options {
  readonly climb: string;
  readonly peers: number;
  readonly seed: string;
  readonly report?: string;
}

const options = new Command("simulate:climb")
  .description("A flock that climbs three phases in virtual time, and what may happen to it on the way.")
  .addOption(
    new Option("--climb <name>", "which one; all of them one after the other: all")
      .choices(["all", ...CLIMBS.map(({ name }) => name)])
      .default("all"),
  )
  .option("--peers <number>", "how many", wholeNumber(3, 1024), 16)
  .option("--seed <text>", "the same seed gives the same climb", "1")
  .option("--report <file>", "where to write the numbers as JSON")
  .parse()
  .opts<Options>();

const reports: ClimbReport[] = [];
for (const climb of CLIMBS) {
  if (options.climb !== "all" && options.climb !== climb.name) continue;
  const startMs = systemClock.nowMs();
  const report = runClimb(climb, { nodesCount: options.peers, seed: options.seed });
  const wallSeconds = ((systemClock.nowMs() - startMs) / 1000).toFixed(1);
  reports.push(report);
  process.stdout.write(`${lineOf(report)}, ${wallSeconds} s\n`);
}
if (options.report !== undefined) await writeFile(options.report, `${JSON.stringify(reports, null, 2)}\n`);
process.exitCode = reports.every(({ failures }) => failures.length === 0) ? 0 : 1;

function lineOf({
  climb,
  nodesCount,
  rounds,
  leftBehind,
  descents,
  virtualSeconds,
  failures,
}: ClimbReport): string {
  const verdict = failures.length === 0 ? "holds" : `FAILS: ${failures.join("; ")}`;
  return (
    `${climb.padEnd(10)}${verdict}: ${nodesCount} peers, phases ended in rounds ${rounds.join(", ")}, ` +
    `${leftBehind} left behind, ${descents} went down and came up, ${virtualSeconds} s of virtual time`
  );
}

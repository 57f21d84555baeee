/**
 * Starling's rule next to what else there is, at equal tokens, with bytes: `npm run bench:rules -- --report FILE`.
 * Real text, a real model on the compiled engine, peers trained in turn in one process. Rows that were measured before
 * (bench/rows) are reused, so a run that was broken off goes on where it was; `--publish` writes tables and curves.
 */
import { execFile, execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Command, Option } from "commander";
import PQueue from "p-queue";
import { reportFailure } from "../src/cli/failure.ts";
import { grids } from "./rules/grids.ts";
import { publish, resultsOf, textOf } from "./rules/publish.ts";
import type { Row } from "./rules/row.ts";
import { type Settings, hashOf } from "./rules/settings.ts";
import { readRow, writeRow } from "./rules/store.ts";

/** A row with its curve is some kilobytes. */
const ROW_BYTES_MAX = 2 ** 20;

interface Options {
  readonly grid?: string;
  readonly quick?: true;
  readonly workers: number;
  readonly minutes?: number;
  readonly report?: string;
  readonly publish?: true;
}

async function run(options: Options): Promise<void> {
  const grid = grids[options.quick ? "quick" : (options.grid ?? "default")];
  if (grid === undefined) throw new Error("commander knows the grids");
  const wanted = grid.lines.flatMap(({ rows }) => rows);
  const missing: Settings[] = [];
  for (const settings of wanted) if ((await readRow(settings)) === undefined) missing.push(settings);
  process.stderr.write(`${grid.title}: ${wanted.length} rows, ${missing.length} to measure\n`);

  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const untilMs = Date.now() + (options.minutes ?? Infinity) * 60_000;
  const queue = new PQueue({ concurrency: options.workers });
  await queue.addAll(
    missing.map((settings) => async () => {
      if (Date.now() > untilMs) return;
      const row = await measureApart(settings, commit);
      await writeRow(row);
      process.stderr.write(
        `${hashOf(settings)} ${settings.rule} seed ${settings.seed}: ${row.validationLossNats.toFixed(3)} nats\n`,
      );
    }),
  );

  const rows = (await Promise.all(wanted.map(readRow))).filter((row) => row !== undefined);
  if (options.report !== undefined)
    await writeFile(options.report, `${JSON.stringify(rows.map(withoutCurve), null, 2)}\n`);
  if (rows.length < wanted.length)
    process.stdout.write(`${rows.length} of ${wanted.length} rows are there; run it again to go on\n`);
  const results = await resultsOf(grid);
  if (results !== undefined) process.stdout.write(`${textOf(grid, results)}\n`);
  if (options.publish) await publish();
}

/** In a process of its own, at low priority: memory is given back, and rows go side by side. */
async function measureApart(settings: Settings, commit: string): Promise<Row> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, "rules", "one.ts"), JSON.stringify(settings), commit],
    { maxBuffer: ROW_BYTES_MAX },
  );
  return JSON.parse(stdout) as Row;
}

function withoutCurve(row: Row): object {
  return { ...row, curve: undefined };
}

const program = new Command("bench:rules")
  .description("measures rules of exchange next to each other")
  .addOption(new Option("--grid <name>", "which table").choices(Object.keys(grids)))
  .option("--quick", "the same as --grid quick: the order of the main table in minutes")
  .option("--workers <n>", "rows at a time", Number, availableParallelism())
  .option("--minutes <n>", "begin no row after so many minutes", Number)
  .option("--report <file>", "where to write the rows as JSON")
  .option("--publish", "write the tables and curves of all whole grids into bench/RESULTS.md and docs/images")
  .action(run);

try {
  await program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2)).parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}

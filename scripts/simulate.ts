/**
 * The simulator: `npm run simulate`. Exit code 1 when a check fails. The state machine is the node's own; time, the
 * network and what training learns are made up (scripts/simulate/).
 */
import { writeFile } from "node:fs/promises";
import { reportFailure } from "../src/cli/failure.ts";
import { systemClock } from "../src/core/index.ts";
import { readOptions } from "./simulate/options.ts";
import { runScenario } from "./simulate/run.ts";
import { SCENARIOS } from "./simulate/scenarios/all.ts";
import { listOf, tableOf } from "./simulate/table.ts";

/** The exit code. */
async function simulate(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  if (options.list) {
    process.stdout.write(listOf(SCENARIOS));
    return 0;
  }
  const chosen = SCENARIOS.filter(({ name }) => options.scenario === "all" || options.scenario === name);
  const { peers: peersCount, rounds: roundsCount, seed } = options;
  const reports = chosen.map((scenario) =>
    runScenario(scenario, { peersCount, roundsCount, seed, clock: systemClock }),
  );
  process.stdout.write(tableOf(reports));
  if (options.report !== undefined) {
    const content = options.scenario === "all" ? reports : reports[0];
    await writeFile(options.report, `${JSON.stringify(content ?? null, null, 2)}\n`);
  }
  return reports.every(({ failures }) => failures.length === 0) ? 0 : 1;
}

try {
  process.exitCode = await simulate(process.argv.slice(2));
} catch (error) {
  process.exitCode = reportFailure(error);
}

/** The simulator's command line. */
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { wholeNumber } from "../../src/cli/arguments.ts";
import { SCENARIOS } from "./scenarios/all.ts";

export interface SimulateOptions {
  readonly scenario: string;
  readonly peers: number;
  readonly rounds: number;
  readonly seed: string;
  /** Absolute. */
  readonly report?: string;
  readonly list: boolean;
}

const EXAMPLES = `
Examples:
  $ npm run simulate -- --list
  $ npm run simulate -- --scenario all                 every scenario at 16 peers: about a minute
  $ npm run simulate -- --scenario honest --peers 256 --rounds 50
  $ npm run simulate -- --scenario loss --seed 7 --report out.json`;

/** Exits with code 2 for wrong arguments. */
export function readOptions(argv: readonly string[]): SimulateOptions {
  const program = new Command("simulate")
    .description("A flock of real state machines in virtual time, on a bad network and among bad peers.")
    .addOption(
      new Option("--scenario <name>", "which one; all of them one after the other: all")
        .choices(["all", ...SCENARIOS.map(({ name }) => name)])
        .default("all"),
    )
    .option("--peers <number>", "how many peers, hostile ones too", wholeNumber(1, 1024), 16)
    .option("--rounds <number>", "how many rounds", wholeNumber(1, 10_000), 40)
    .option("--seed <text>", "the same seed gives the same transcript", "1")
    .option("--report <file>", "where to write the numbers as JSON")
    .option("--list", "name the scenarios and end", false)
    .addHelpText("after", EXAMPLES)
    .showHelpAfterError('Run it with "--help" to see what it takes.')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse([...argv], { from: "user" });
  const given = program.opts<SimulateOptions>();
  return { ...given, ...(given.report !== undefined && { report: resolve(given.report) }) };
}

/** The testnet's command line. */
import { mkdir, mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { wholeNumber } from "../../src/cli/arguments.ts";
import { StarlingError } from "../../src/core/index.ts";
import { CHEATS, type Cheat } from "../../src/node/index.ts";

export interface TestnetOptions {
  readonly nodes: number;
  readonly preset: string;
  readonly seed: number;
  /** Absolute, exists, empty. */
  readonly dir: string;
  readonly rounds?: number;
  readonly report: string;
  readonly dht: boolean;
  readonly killBootstrap: boolean;
  readonly baseline: boolean;
  /** What the last nodes do instead of contributing what they learned, one each. */
  readonly cheats: readonly Cheat[];
  /** A ladder must keep all that `climbFaults` looks for. */
  readonly strict: boolean;
}

/** Where things are in the testnet's folder, beside a folder for each node. */
export interface TestnetFiles {
  readonly text: string;
  readonly manifest: string;
  readonly export: string;
}

export function filesOf({ dir }: TestnetOptions): TestnetFiles {
  return { text: join(dir, "moby-dick.txt"), manifest: join(dir, "run.json"), export: join(dir, "export") };
}

const EXAMPLES = `
Examples:
  $ npm run testnet
  $ npm run testnet -- --kill-bootstrap          the first node dies half-way; the others finish
  $ npm run testnet -- --baseline --report out.json
  $ npm run testnet -- --preset tiny --nodes 3   seconds instead of minutes
  $ npm run testnet -- --nodes 6 --cheats flip,lazy   two of six are hostile
  $ npm run climb                                seven phases, each a larger model`;

/** Exits with code 2 for wrong arguments. Makes the folder; throws `TESTNET_DIR` when it holds anything. */
export async function readOptions(argv: readonly string[]): Promise<TestnetOptions> {
  const program = new Command("testnet")
    .description("A flock of real nodes on this machine: separate processes that train one model together.")
    .option("--nodes <number>", "how many nodes", wholeNumber(1, 64), 4)
    .option("--preset <name>", "what they train", "flight")
    .option("--seed <number>", "seed of the start weights", wholeNumber(0, 2 ** 32 - 1), 1)
    .option("--dir <folder>", "where all of it goes; default: a fresh temporary folder, which is kept")
    .option(
      "--rounds <number>",
      "end after so many rounds instead of the preset's",
      wholeNumber(1, 1_000_000),
    )
    .option("--report <file>", "where to write the numbers; default: report.json in the folder")
    .option("--no-dht", "without the distributed hash table")
    .option(
      "--kill-bootstrap",
      "kill node 1, the only one that the others know at first, half-way and for good",
      false,
    )
    .option("--baseline", "also train one node alone, for comparison", false)
    .option("--cheats <list>", "the last nodes are hostile, one each: flip, lazy", cheatList, [])
    .option("--strict", "end with 1 when a climb does not keep what it promises (report: climbFaults)", false)
    .addHelpText("after", EXAMPLES)
    .showHelpAfterError('Run it with "--help" to see what it takes.')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse([...argv], { from: "user" });
  const given = program.opts<Omit<TestnetOptions, "dir" | "report"> & { dir?: string; report?: string }>();
  const dir =
    given.dir === undefined ? await mkdtemp(join(tmpdir(), "starling-testnet-")) : await fresh(given.dir);
  return { ...given, dir, report: resolve(given.report ?? join(dir, "report.json")) };
}

function cheatList(text: string): Cheat[] {
  return text.split(",").map((name) => {
    const kind = CHEATS.find((each) => each === name);
    if (kind === undefined)
      throw new InvalidArgumentError(`expected some of ${CHEATS.join(", ")}, got ${name}`);
    return kind;
  });
}

async function fresh(path: string): Promise<string> {
  const dir = resolve(path);
  await mkdir(dir, { recursive: true });
  const entries = await readdir(dir);
  if (entries.length === 0) return dir;
  throw new StarlingError(
    "TESTNET_DIR",
    `expected an empty folder, but ${dir} holds ${entries.length} entries; choose another or empty it`,
  );
}

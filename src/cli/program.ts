/**
 * The command line as commander sees it: names, options, help. Each command's work is in its own file under
 * `commands/`, imported only when it runs, so that `--help` need not load a network stack and a training engine.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Argument, Command, Option } from "commander";
import {
  ROUNDS_MAX,
  SEED_MAX,
  author,
  authors,
  cids,
  byteCount,
  hours,
  founders,
  listenAddress,
  multiaddrs,
  number,
  paths,
  roundRange,
  share,
  wholeNumber,
} from "./arguments.ts";
import type { AddressArguments } from "./commands/address.ts";
import type { CreditsArguments } from "./commands/credits.ts";
import type { DataAddArguments } from "./commands/data.ts";
import type { EvalArguments } from "./commands/eval.ts";
import type { ExportArguments } from "./commands/export.ts";
import type { GenerateArguments } from "./commands/generate.ts";
import type { InitArguments } from "./commands/init.ts";
import type { KeyArguments } from "./commands/key.ts";
import type { LedgerArguments } from "./commands/ledger.ts";
import type { PauseArguments } from "./commands/pause.ts";
import type { PayoutSetArguments, PayoutShowArguments } from "./commands/payout.ts";
import type { StartArguments } from "./start-options.ts";
import type { StatusArguments } from "./commands/status.ts";
import type { StopArguments } from "./commands/stop.ts";
import type { TokenizerTrainArguments } from "./commands/tokenizer.ts";
import type { TrainArguments } from "./commands/train.ts";
import type { TopArguments } from "./commands/top.ts";
import type { VerifyArguments } from "./commands/verify.ts";
import { COMPLETION_SCRIPTS, type Shell, completionsOf } from "./completion.ts";
import { applySettings } from "./settings.ts";

const EXAMPLES = `
A run is one training effort; its manifest (a file) says everything that its nodes must agree on, and the manifest's
CID names the run.

Start a run and train on this machine:
  $ starling init --preset flight --text my-book.txt --out run.json
  $ starling start --run run.json

Join somebody's run from another machine (they run \`starling address\`):
  $ starling join starling1…

Watch it, take the model home, stop:
  $ starling status
  $ starling export --out my-model
  $ starling stop

Check everything that it took part in, and see who did what:
  $ starling verify
  $ starling ledger --excluded

Exit codes: 0 ok, 1 it could not be done, 2 wrong arguments, 70 a mistake in starling.`;

/** What `--engine` takes; whether this machine has it, the node says. */
const ENGINES: readonly string[] = ["auto", "cpu", "webgpu", "cuda", "directml", "coreml", "tfjs"];

/** The whole program; parsing throws a `CommanderError` with exit code 2 for wrong arguments. */
export function createProgram(): Command {
  const program = new Command("starling")
    .description("Train one language model together with strangers: no server, no leader.")
    .version(versionOf(), "-v, --version")
    .addHelpText("after", EXAMPLES)
    .showHelpAfterError('Run the command with "--help" to see what it takes.')
    .helpCommand(false)
    .exitOverride()
    .hook("preSubcommand", (_, command) => applySettings(command, program.args.slice(1), process.env));
  addInit(program);
  addData(program);
  addTokenizer(program);
  addTrain(program);
  addGenerate(program);
  addEval(program);
  addStart(program);
  addJoin(program);
  addAddress(program);
  addStatus(program);
  addExport(program);
  addCredits(program);
  addPayout(program);
  addTop(program);
  addPause(program);
  addStop(program);
  addLeave(program);
  addVerify(program);
  addLedger(program);
  addCompletion(program);
  return program;
}

/** The package's; the same relative path from `src/cli` and from the built `dist/cli`. */
function versionOf(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function dataOption(): Option {
  return new Option("--data <folder>", "the node's own folder: key, blocks, ledger").default(".starling");
}

function threadsOption(description: string): Option {
  return new Option("--threads <number>", description)
    .argParser(wholeNumber(1, 1024))
    .default(availableParallelism(), "all that this machine has");
}

/** By size; the same as the trainer's, which is not loaded to print help. A test compares them. */
export const SHAPES: readonly string[] = [
  "tiny",
  "small",
  "flight",
  "stories-15m",
  "stories-42m",
  "stories-110m",
  "smollm-135m",
  "smollm-360m",
  "tinyllama-1.1b",
  "sheared-llama-1.3b",
];

function shapeOption(): Option {
  return new Option("--shape <name>", "another model than the preset's").choices(SHAPES).conflicts("from");
}

function addInit(program: Command): void {
  program
    .command("init")
    .description("make a new run: writes its manifest and prints the run's CID")
    .requiredOption("--preset <name>", "model, optimiser and budget that belong together, such as flight")
    .option("--text <path>", "the text to learn: a file, or a folder of files (see `starling data add`)")
    .option(
      "--record <cid>",
      "data that `starling data add` has put into the folder; may be repeated",
      cids,
      [],
    )
    .option("--tokenizer <file>", "a tokenizer.json instead of bytes")
    .addOption(shapeOption())
    .option("--from <folder>", "start from a model as `starling export` writes it: weights and tokenizer")
    .option("--source <text>", "where the text is from")
    .option("--licence <text>", "under what licence the text is")
    .option("--plan", "print the preset's phases with what they ask of a node, and make nothing", false)
    .option("--out <file>", "where to write the manifest", "run.json")
    .addOption(dataOption())
    .option("--name <name>", "what people call the run")
    .option("--seed <number>", "seed of the start weights", wholeNumber(0, SEED_MAX))
    .option("--start-peers <number>", "wait for so many nodes before round 0", wholeNumber(1, 1024))
    .option(
      "--rounds <number>",
      "end after so many rounds instead of the preset's",
      wholeNumber(1, ROUNDS_MAX),
    )
    .option("--private", "a closed run: makes a network key, without which nobody can connect", false)
    .option(
      "--founder <peer-id>",
      "who votes before anything has settled, or self for this folder's key; may be repeated",
      founders,
      [],
    )
    .option("--admit <peer-id>", "a closed run of these nodes only; may be repeated", authors, [])
    .addHelpText(
      "after",
      `
Examples:
  $ starling init --preset flight --text my-book.txt --out run.json
  $ starling init --preset flight --from my-model --text more.txt
  $ starling init --preset flight --text my-book.txt --private
  $ starling init --preset open-500m --plan

The network key of a closed run goes beside the manifest (run.key). Give both to whoever may take part, by a way that
outsiders do not see.`,
    )
    .action(async (given: InitArguments) => (await import("./commands/init.ts")).init(given));
}

function addData(program: Command): void {
  const data = program.command("data").description("the data that runs learn from").helpCommand(false);
  data
    .command("add")
    .description("cut text into shards in the data folder; prints the CID of their signed record")
    .argument("<path>", "a file, or a folder of files: text, .jsonl or .parquet; .gz and .zst are unpacked")
    .addOption(dataOption())
    .option("--tokenizer <file>", "a tokenizer.json instead of bytes")
    .option("--source <text>", "where it is from; default: the name of the file or folder")
    .option("--licence <text>", "under what licence it is")
    .option("--field <name>", "the field or column that holds the text", "text")
    .option("--held-out <share>", "what is only measured on", share, 0.1)
    .addHelpText(
      "after",
      `
Examples:
  $ starling data add corpus/ --licence CC-BY-4.0
  $ starling init --preset flight --record bafkrei…`,
    )
    .action(async (path: string, given: DataAddArguments) =>
      (await import("./commands/data.ts")).addToFolder(path, given),
    );
}

function addTokenizer(program: Command): void {
  const tokenizer = program.command("tokenizer").description("how text becomes tokens").helpCommand(false);
  tokenizer
    .command("train")
    .description("make a byte-level BPE tokenizer.json from a text")
    .requiredOption("--text <path>", "a file, or a folder of files, as for `starling data add`")
    .requiredOption("--vocabulary <number>", "how many tokens", wholeNumber(257, 2 ** 20))
    .option("--field <name>", "the field or column that holds the text", "text")
    .option("--out <file>", "where to write it", "tokenizer.json")
    .addHelpText("after", "\nExample:\n  $ starling tokenizer train --text corpus/ --vocabulary 16384")
    .action(async (given: TokenizerTrainArguments) =>
      (await import("./commands/tokenizer.ts")).trainTokenizer(given),
    );
}

function addTrain(program: Command): void {
  program
    .command("train")
    .description("train a model on this machine alone, without a network, and write it to a folder")
    .requiredOption("--preset <name>", "model and optimiser, such as flight")
    .requiredOption("--text <path>", "the text to learn, as for `starling data add`")
    .requiredOption("--out <folder>", "where to write the model")
    .option("--steps <number>", "instead of the preset's", wholeNumber(1, ROUNDS_MAX))
    .option("--tokenizer <file>", "a tokenizer.json instead of bytes")
    .addOption(shapeOption())
    .option("--from <folder>", "start from a model as `starling export` writes it")
    .option("--seed <number>", "seed of the start weights", wholeNumber(0, SEED_MAX))
    .addOption(threadsOption("CPU threads that train"))
    .addHelpText(
      "after",
      "\nCtrl-C ends it early and still writes the model.\n\nExample:\n  $ starling train --preset flight --text my-book.txt --out my-model",
    )
    .action(async (given: TrainArguments) => (await import("./commands/train.ts")).train(given));
}

function addGenerate(program: Command): void {
  program
    .command("generate")
    .description("let a model write: that of the running node, or one in a folder")
    .addOption(dataOption())
    .option("--model <folder>", "a folder with a model instead, such as `starling export` writes")
    .option("--prompt <text>", "what it goes on from", "")
    .option("--tokens <number>", "at most so many", wholeNumber(1, 1_000_000), 256)
    .option("--temperature <number>", "0: always the likeliest token", number(0, 100), 0.8)
    .option(
      "--top-p <number>",
      "draw from the likeliest that have so much probability together",
      number(0.000001, 1),
      1,
    )
    .option("--seed <number>", "the same seed writes the same text", wholeNumber(0, SEED_MAX))
    .addOption(threadsOption("CPU threads, with --model"))
    .addHelpText("after", '\nExample:\n  $ starling generate --model my-model --prompt "Call me"')
    .action(async (given: GenerateArguments) => (await import("./commands/generate.ts")).generateText(given));
}

function addEval(program: Command): void {
  program
    .command("eval")
    .description("measure a model in a folder on a text: nats per token and bits per byte")
    .requiredOption("--model <folder>", "a folder with a model, such as `starling export` writes")
    .requiredOption("--text <path>", "what to measure on, as for `starling data add`")
    .option("--field <name>", "the field or column that holds the text", "text")
    .addOption(threadsOption("CPU threads"))
    .option("--json", "for scripts", false)
    .addHelpText("after", "\nExample:\n  $ starling eval --model my-model --text held-out.txt")
    .action(async (given: EvalArguments) => (await import("./commands/eval.ts")).evaluate(given));
}

function addStart(program: Command): void {
  const command = program
    .command("start")
    .description("run a node in the foreground: find the others, train, contribute; Ctrl-C stops it")
    .requiredOption("--run <file|cid>", "the run: its manifest's file, or its CID to fetch that from a peer");
  addNodeOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ starling start --run run.json --listen /ip4/0.0.0.0/tcp/4001
  $ starling start --run bafyrei… --bootstrap /ip4/192.0.2.7/tcp/4001/p2p/12D3KooW… --data my-node`,
    )
    .action(async (given: StartArguments, started: Command) =>
      (await import("./commands/start.ts")).start(given, started),
    );
}

function addJoin(program: Command): void {
  const command = program
    .command("join")
    .description("join a run at the address that `starling address` prints on another machine, and train")
    .argument("<address>", "the whole string, which begins with starling1");
  addNodeOptions(command)
    .addHelpText(
      "after",
      `
The node fetches the run and the settled state that the address names, follows only histories that go on from it, and
takes the same options as \`starling start\`. Once joined, \`starling start --run <cid>\` goes on in the same folder.

Example:
  $ starling join starling1o2NydW7YKlgl…`,
    )
    .action(async (address: string, given: Omit<StartArguments, "run">, started: Command) =>
      (await import("./commands/join.ts")).join(address, given, started),
    );
}

function addAddress(program: Command): void {
  program
    .command("address")
    .description("print the run's address: what others paste after `starling join`")
    .addOption(dataOption())
    .addHelpText(
      "after",
      `
It names the run, its newest settled state and a few nodes. Whoever gets it trusts you with that state.

Example:
  $ starling address`,
    )
    .action(async (given: AddressArguments) => (await import("./commands/address.ts")).address(given));
}

/** What every node takes, however it comes to its run. */
function addNodeOptions(command: Command): Command {
  return command
    .addOption(dataOption())
    .option("--listen <address>", "listen here; may be repeated", multiaddrs, [])
    .option("--announce <address>", "tell others to dial this instead; may be repeated", multiaddrs, [])
    .option("--bootstrap <address>", "dial this node first; may be repeated", multiaddrs, [])
    .option("--no-relay", "do not carry connections of nodes that cannot be reached")
    .option("--via-relay", "be reached through nodes that relay; without --local and --announce the default")
    .option("--no-upnp", "do not ask the router for a port")
    .option("--network-key <file>", "of a closed run; the folder keeps a copy, so once is enough")
    .addOption(new Option("--engine <name>", "what trains").choices(ENGINES).default("auto"))
    .option("--device <device>", "cuda, directml: the GPU's index; webgpu on Linux: a Vulkan driver's file")
    .option(
      "--mixed-precision",
      "matrix products in float16: webgpu, cuda, directml, coreml; never run",
      false,
    )
    .addOption(threadsOption("CPU threads that train"))
    .option(
      "--micro-batch <sequences>",
      "on the CPU: sequences of the batch at a time; fewer need less memory",
      wholeNumber(1, 65_536),
    )
    .option("--recompute", "on the CPU: a quarter slower, with less memory", false)
    .option("--no-dht", "do not use the distributed hash table to find nodes")
    .option("--no-mdns", "do not look for nodes on the local network")
    .option("--local", "accept private and loopback addresses as nodes of the run", false)
    .addOption(
      new Option("--dashboard [address]", "where the dashboard is: host:port, or a port of this machine")
        .default(true, "127.0.0.1:4780, or any free port")
        .argParser(listenAddress),
    )
    .option("--no-dashboard", "show no dashboard")
    .option(
      "--dashboard-name <host>",
      "a name besides localhost that the dashboard may be asked under; may be repeated",
      paths,
      [],
    )
    .addOption(
      new Option("--when <state>", "train always, or only while others leave the processor alone")
        .choices(["always", "idle"])
        .default("always"),
    )
    .option("--hours <from-until>", "train only at these hours of the day, such as 22-7", hours)
    .option("--max-upload <bytes>", "send blocks no faster than so many bytes a second", byteCount)
    .option("--max-download <bytes>", "fetch blocks no faster than so many bytes a second", byteCount)
    .option("--monthly-traffic <bytes>", "pause when so much was sent and received this month", byteCount)
    .addOption(
      new Option("--priority <level>", "give way to everything else on this machine, or not")
        .choices(["low", "normal"])
        .default("low"),
    )
    .option("--config <file>", "read options from this YAML file, such as: log-level: warn")
    .option("--dry-run", "print every setting and where it comes from, check them, and change nothing", false)
    .option(
      "--exit-when-finished",
      "stop when the run has ended instead of serving those who still need it",
      false,
    )
    .addOption(
      new Option("--log-level <level>", "least important line to log")
        .choices(["trace", "debug", "info", "warn", "error", "silent"])
        .default("info"),
    );
}

function addStatus(program: Command): void {
  program
    .command("status")
    .description("what the node is doing, or what its folder says when it is not running")
    .addOption(dataOption())
    .option("--json", "everything, for scripts", false)
    .addHelpText("after", "\nExample:\n  $ starling status --json | jq .settled.root")
    .action(async (given: StatusArguments) => (await import("./commands/status.ts")).status(given));
}

function addExport(program: Command): void {
  program
    .command("export")
    .description(
      "write the settled model as a folder that the usual tools load (safetensors, config, tokenizer)",
    )
    .addOption(dataOption())
    .requiredOption("--out <folder>", "where to write it")
    .addHelpText("after", "\nExample:\n  $ starling export --out my-model")
    .action(async (given: ExportArguments) => (await import("./commands/export.ts")).exportModel(given));
}

function addCredits(program: Command): void {
  program
    .command("credits")
    .description("what settled work has earned, by author and contribution, and as a Merkle tree")
    .addOption(dataOption())
    .option("--json", "everything, for scripts", false)
    .option("--author <peer>", "only this one's, with a line for each contribution", author)
    .option("--rounds <number>", "only the first so many settled rounds", wholeNumber(0, ROUNDS_MAX))
    .option("--payouts <path>", "others' payout records: a file or folder; may be repeated", paths, [])
    .option("--export <file>", "write a Merkle tree of what each author with an address has earned so far")
    .addHelpText(
      "after",
      `
Examples:
  $ starling credits
  $ starling credits --author 12D3KooW… --json | jq .lines
  $ starling credits --payouts records/ --export credits.json

The tree is OpenZeppelin's standard one, of (bytes32 author, address, uint256 credits earned so far). Whoever pays
counts what was claimed per author. Nodes that count the same rounds and hold the same records write the same file.`,
    )
    .action(async (given: CreditsArguments) => (await import("./commands/credits.ts")).credits(given));
}

function addPayout(program: Command): void {
  const payout = program
    .command("payout")
    .description("the address that this node's credits are paid to")
    .helpCommand(false);
  payout
    .command("set")
    .description("sign a record that binds an address to this node's key, keep it and print it")
    .argument("<address>", "0x and 40 hex digits")
    .addOption(dataOption())
    .option(
      "--sequence <number>",
      "instead of one more than the last: the highest wins, should an earlier record be lost",
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .addHelpText(
      "after",
      "\nExample:\n  $ starling payout set 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed > me.json",
    )
    .action(async (address: string, given: PayoutSetArguments) =>
      (await import("./commands/payout.ts")).setPayoutAddress(address, given),
    );
  payout
    .command("show")
    .description("print the signed record, to give to whoever exports credits")
    .addOption(dataOption())
    .action(async (given: PayoutShowArguments) => (await import("./commands/payout.ts")).showPayout(given));

  const key = program
    .command("key")
    .description("this node's identity, to keep a copy of or to take along")
    .helpCommand(false);
  key
    .command("export")
    .description("copy the key to a new file that only you may read")
    .argument("<file>", "where to; nothing is written over")
    .addOption(dataOption())
    .action(async (file: string, given: KeyArguments) =>
      (await import("./commands/key.ts")).exportKeyTo(file, given),
    );
  key
    .command("import")
    .description("give a data folder that has no key yet the one from a file")
    .argument("<file>", "what `starling key export` wrote")
    .addOption(dataOption())
    .action(async (file: string, given: KeyArguments) =>
      (await import("./commands/key.ts")).importKeyFrom(file, given),
    );
}

function addStop(program: Command): void {
  program
    .command("stop")
    .description("stop the node that runs on a data folder, and wait until it has")
    .addOption(dataOption())
    .option("--after-round", "when the round under way is done and published", false)
    .action(async (given: StopArguments) => (await import("./commands/stop.ts")).stop(given));
}

function addTop(program: Command): void {
  program
    .command("top")
    .description("watch one or many nodes in the terminal, until Ctrl-C")
    .argument("[node...]", "data folders, or dashboards such as http://127.0.0.1:4780/")
    .addOption(dataOption())
    .option("--interval <seconds>", "look so often", wholeNumber(1, 3600), 1)
    .option("--once", "look once and end", false)
    .addHelpText(
      "after",
      `
Without nodes it shows the one on --data. On a terminal the table is redrawn; elsewhere there is a line per round.

Examples:
  $ starling top
  $ starling top http://127.0.0.1:4780/ http://10.0.0.7:4780/
  $ starling top nodes/*`,
    )
    .action(async (nodes: string[], given: TopArguments) =>
      (await import("./commands/top.ts")).top(nodes, given),
    );
}

function addLeave(program: Command): void {
  program
    .command("leave")
    .description("stop the node after this round, when others hold what it gave last")
    .addOption(dataOption())
    .action(async (given: StopArguments) => (await import("./commands/stop.ts")).leave(given));
}

function addPause(program: Command): void {
  program
    .command("pause")
    .description("stop training within one step, publish what was learned, and keep serving others")
    .addOption(dataOption())
    .action(async (given: PauseArguments) => (await import("./commands/pause.ts")).pause(given));
  program
    .command("resume")
    .description("train again after a pause")
    .addOption(dataOption())
    .action(async (given: PauseArguments) => (await import("./commands/pause.ts")).resume(given));
}

function addVerify(program: Command): void {
  program
    .command("verify")
    .description("check a stopped node's whole history: hashes, signatures, citations, every fold and root")
    .addOption(dataOption())
    .option("--from-start", "check again what an earlier check has checked", false)
    .option("--json", "findings and report as JSON lines, for scripts", false)
    .addHelpText(
      "after",
      `
It goes on where the last check left off, and needs no network. Each finding names a contribution or a file, what was
expected and what came.

Exit codes: 0 all checked and true, 1 something is false (or it could not be done), 2 nothing is false, but not all could
be checked, because bodies are not here any more or it was stopped early.

Examples:
  $ starling verify --data my-node
  $ starling verify --from-start --json | jq .findingsCount`,
    )
    .action(async (given: VerifyArguments) => (await import("./commands/verify.ts")).verify(given));
}

function addLedger(program: Command): void {
  program
    .command("ledger")
    .description("list the contributions in a stopped node's folder: whose, when, included or why not")
    .addOption(dataOption())
    .option("--json", "everything, one JSON object a line", false)
    .option("--author <peer-id>", "only this author's")
    .option("--phase <number>", "only of this phase", wholeNumber(0, 6))
    .addOption(new Option("--round <number>", "only of this round").argParser(roundRange).conflicts("rounds"))
    .option("--rounds <first-last>", "only of these rounds", roundRange)
    .option("--included", "only what history includes")
    .addOption(new Option("--excluded", "only what history leaves out").conflicts("included"))
    .addHelpText(
      "after",
      `
Reasons for being excluded: other history (it built on another settled state), equivocation (two of one author in a
round), round not decided (nobody has cited it yet), not yet settled (later citations may still include it), not cited by
half of the weight.

Examples:
  $ starling ledger --rounds 5-9 --excluded
  $ starling ledger --json | jq -r 'select(.included) | .author' | sort | uniq -c`,
    )
    .action(async (given: LedgerArguments) => (await import("./commands/ledger.ts")).ledger(given));
}

function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("print what makes a shell complete commands and options after Tab")
    .addArgument(new Argument("<shell>").choices(Object.keys(COMPLETION_SCRIPTS)))
    .addHelpText(
      "after",
      `
Examples:
  $ starling completion bash >> ~/.bashrc
  $ starling completion zsh >> ~/.zshrc       (after compinit)
  $ starling completion fish > ~/.config/fish/completions/starling.fish`,
    )
    .action((shell: Shell) => {
      process.stdout.write(COMPLETION_SCRIPTS[shell]);
    });
  program
    .command("complete", { hidden: true })
    .description("what the word under way may become, one a line; the shells ask it")
    .argument("[word...]")
    .action((words: string[]) => {
      for (const { word, description } of completionsOf(program, words))
        process.stdout.write(`${word}\t${description}\n`);
    });
}

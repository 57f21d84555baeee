/**
 * The command line as commander sees it: which commands there are. What a command takes stands under `usage/`, its work
 * under `commands/`, imported only when it runs, so that `--help` need not load a network stack and a training engine.
 */
import { readFileSync } from "node:fs";
import { Command, Help, type Option } from "commander";
import { applySettings } from "./settings.ts";
import { addDoctor } from "./usage/doctor.ts";
import { addInit } from "./usage/init.ts";
import { addData } from "./usage/data.ts";
import { addTokenizer } from "./usage/tokenizer.ts";
import { addTrain } from "./usage/train.ts";
import { addGenerate } from "./usage/generate.ts";
import { addServe } from "./usage/serve.ts";
import { addEval } from "./usage/eval.ts";
import { addStart } from "./usage/start.ts";
import { addJoin } from "./usage/join.ts";
import { addRuns } from "./usage/runs.ts";
import { addAddress } from "./usage/address.ts";
import { addStatus } from "./usage/status.ts";
import { addExport } from "./usage/export.ts";
import { addCredits } from "./usage/credits.ts";
import { addProposals } from "./usage/proposals.ts";
import { addPayout } from "./usage/payout.ts";
import { addKey } from "./usage/key.ts";
import { addTop } from "./usage/top.ts";
import { addPause } from "./usage/pause.ts";
import { addStop } from "./usage/stop.ts";
import { addVerify } from "./usage/verify.ts";
import { addLedger } from "./usage/ledger.ts";
import { addCompletion } from "./usage/completion.ts";

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

Exit codes: 0 ok, 1 it could not be done, 2 wrong arguments, 70 a mistake in starling, 130 forced by a second Ctrl-C.`;

/** In the order in which help lists them. */
const COMMANDS: Readonly<Record<string, readonly ((program: Command) => void)[]>> = {
  "Begin:": [addDoctor, addInit, addRuns, addStart, addJoin],
  "A node that runs:": [addStatus, addTop, addAddress, addPause, addStop],
  "The model:": [addGenerate, addServe, addExport, addEval],
  "What was done, by whom, and for what:": [
    addVerify,
    addLedger,
    addCredits,
    addPayout,
    addProposals,
    addKey,
  ],
  "Without others:": [addData, addTokenizer, addTrain],
  "The shell:": [addCompletion],
};

/** The whole program; parsing throws a `CommanderError` with exit code 2 for wrong arguments. */
export function createProgram(): Command {
  const program = new Command("starling")
    .description("Train one language model together with strangers: no server, no leader.")
    .version(versionOf(), "-v, --version")
    .addHelpText("after", EXAMPLES)
    .showHelpAfterError('Run the command with "--help" to see what it takes.')
    .helpCommand(false)
    .exitOverride()
    .configureHelp({ optionDescription })
    .hook("preSubcommand", (_, command) => applySettings(command, program.args.slice(1), process.env));
  for (const [heading, adds] of Object.entries(COMMANDS)) {
    program.commandsGroup(heading);
    for (const add of adds) add(program);
  }
  return program;
}

/** That a flag is off and a list empty unless one says so goes without saying. */
function optionDescription(option: Option): string {
  const { defaultValue } = option;
  const isNothing = defaultValue === false || (Array.isArray(defaultValue) && defaultValue.length === 0);
  const shown = Object.assign(Object.create(option) as Option, isNothing ? { defaultValue: undefined } : {});
  return new Help().optionDescription(shown);
}

/** The package's; the same relative path from `src/cli` and from the built `dist/cli`. */
function versionOf(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

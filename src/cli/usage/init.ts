/** `starling init`: what it takes. */
import type { Command } from "commander";
import { ROUNDS_MAX, SEED_MAX, authors, cids, founders, wholeNumber } from "../arguments.ts";
import type { InitArguments } from "../commands/init.ts";
import { dataOption, shapeOption } from "./options.ts";

export function addInit(program: Command): void {
  program
    .command("init")
    .description("make a new run: writes its manifest and prints the run's CID")
    .option("--preset <name>", "model, optimiser and budget that belong together, such as flight")
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
    .option("--explain", "say in plain words what the run is and costs; on a terminal the default", false)
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
On a terminal it asks for what is missing: how large, which text, how many nodes, open or closed.

Examples:
  $ starling init
  $ starling init --preset flight --text my-book.txt --out run.json
  $ starling init --preset flight --from my-model --text more.txt
  $ starling init --preset flight --text my-book.txt --private
  $ starling init --preset open-500m --plan

The network key of a closed run goes beside the manifest (run.key). Give both to whoever may take part, by a way that
outsiders do not see.`,
    )
    .action(async (given: InitArguments) => (await import("../commands/init.ts")).init(given));
}

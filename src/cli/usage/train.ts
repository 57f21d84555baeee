/** `starling train`: what it takes. */
import type { Command } from "commander";
import { ROUNDS_MAX, SEED_MAX, wholeNumber } from "../arguments.ts";
import type { TrainArguments } from "../commands/train.ts";
import { addMemoryOptions, shapeOption, threadsOption } from "./options.ts";

export function addTrain(program: Command): void {
  const command = program
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
    .addOption(threadsOption("CPU threads that train"));
  addMemoryOptions(command)
    .addHelpText(
      "after",
      "\nCtrl-C ends it early and still writes the model.\n\nExample:\n  $ starling train --preset flight --text my-book.txt --out my-model",
    )
    .action(async (given: TrainArguments) => (await import("../commands/train.ts")).train(given));
}

/** `starling generate`: what it takes. */
import type { Command } from "commander";
import { SEED_MAX, number, wholeNumber } from "../arguments.ts";
import type { GenerateArguments } from "../commands/generate.ts";
import { dataOption, threadsOption } from "./options.ts";

export function addGenerate(program: Command): void {
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
    .action(async (given: GenerateArguments) =>
      (await import("../commands/generate.ts")).generateText(given),
    );
}

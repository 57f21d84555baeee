/** `starling eval`: what it takes. */
import type { Command } from "commander";
import type { EvalArguments } from "../commands/eval.ts";
import { threadsOption } from "./options.ts";

export function addEval(program: Command): void {
  program
    .command("eval")
    .description("measure a model in a folder on a text: nats per token and bits per byte")
    .requiredOption("--model <folder>", "a folder with a model, such as `starling export` writes")
    .requiredOption("--text <path>", "what to measure on, as for `starling data add`")
    .option("--field <name>", "the field or column that holds the text", "text")
    .addOption(threadsOption("CPU threads"))
    .option("--json", "for scripts", false)
    .addHelpText("after", "\nExample:\n  $ starling eval --model my-model --text held-out.txt")
    .action(async (given: EvalArguments) => (await import("../commands/eval.ts")).evaluate(given));
}

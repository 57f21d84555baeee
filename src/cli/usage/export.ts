/** `starling export`: what it takes. */
import type { Command } from "commander";
import { wholeNumber } from "../arguments.ts";
import type { ExportArguments } from "../commands/export.ts";
import { dataOption } from "./options.ts";

export function addExport(program: Command): void {
  program
    .command("export")
    .description(
      "write the settled model as a folder that the usual tools load (safetensors, config, tokenizer)",
    )
    .addOption(dataOption())
    .requiredOption("--out <folder>", "where to write it")
    .option(
      "--phase <number>",
      "of a ladder: what this phase ended with, instead of the newest settled state",
      wholeNumber(0, 6),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  $ starling export --out my-model\n  $ starling export --phase 0 --out small-model",
    )
    .action(async (given: ExportArguments) => (await import("../commands/export.ts")).exportModel(given));
}

/** `starling export`: what it takes. */
import type { Command } from "commander";
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
    .addHelpText("after", "\nExample:\n  $ starling export --out my-model")
    .action(async (given: ExportArguments) => (await import("../commands/export.ts")).exportModel(given));
}

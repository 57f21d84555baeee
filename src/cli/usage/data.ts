/** `starling data`: what it takes. */
import type { Command } from "commander";
import { share } from "../arguments.ts";
import type { DataAddArguments } from "../commands/data.ts";
import { dataOption } from "./options.ts";

export function addData(program: Command): void {
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
      (await import("../commands/data.ts")).addToFolder(path, given),
    );
}

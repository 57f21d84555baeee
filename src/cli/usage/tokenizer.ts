/** `starling tokenizer`: what it takes. */
import type { Command } from "commander";
import { wholeNumber } from "../arguments.ts";
import type { TokenizerTrainArguments } from "../commands/tokenizer.ts";

export function addTokenizer(program: Command): void {
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
      (await import("../commands/tokenizer.ts")).trainTokenizer(given),
    );
}

/** `starling key`: what it takes. */
import type { Command } from "commander";
import type { KeyArguments } from "../commands/key.ts";
import { dataOption } from "./options.ts";

export function addKey(program: Command): void {
  const key = program
    .command("key")
    .description("this node's identity, to keep a copy of or to take along")
    .helpCommand(false);
  key
    .command("export")
    .description("copy the key to a new file that only you may read")
    .argument("<file>", "where to; nothing is written over")
    .addOption(dataOption())
    .addHelpText("after", "\nExample:\n  $ starling key export my-node.key --data my-node")
    .action(async (file: string, given: KeyArguments) =>
      (await import("../commands/key.ts")).exportKeyTo(file, given),
    );
  key
    .command("import")
    .description("give a data folder that has no key yet the one from a file")
    .argument("<file>", "what `starling key export` wrote")
    .addOption(dataOption())
    .addHelpText(
      "after",
      `
Stop the node at the old place first: one identity at two places publishes two contributions a round, and neither counts.

Example:
  $ starling key import my-node.key --data new-place`,
    )
    .action(async (file: string, given: KeyArguments) =>
      (await import("../commands/key.ts")).importKeyFrom(file, given),
    );
}

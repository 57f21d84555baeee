/** `starling credits`: what it takes. */
import type { Command } from "commander";
import { ROUNDS_MAX, author, paths, wholeNumber } from "../arguments.ts";
import type { CreditsArguments } from "../commands/credits.ts";
import { dataOption } from "./options.ts";

export function addCredits(program: Command): void {
  program
    .command("credits")
    .description("what settled work has earned, by author and contribution, and as a Merkle tree")
    .addOption(dataOption())
    .option("--json", "everything, for scripts", false)
    .option("--author <peer>", "only this one's, with a line for each contribution", author)
    .option("--rounds <number>", "only the first so many settled rounds", wholeNumber(0, ROUNDS_MAX))
    .option("--payouts <path>", "others' payout records: a file or folder; may be repeated", paths, [])
    .option("--export <file>", "write a Merkle tree of what each author with an address has earned so far")
    .addHelpText(
      "after",
      `
Examples:
  $ starling credits
  $ starling credits --author 12D3KooW… --json | jq .lines
  $ starling credits --payouts records/ --export credits.json

The tree is OpenZeppelin's standard one, of (bytes32 author, address, uint256 credits earned so far). Whoever pays
counts what was claimed per author. Nodes that count the same rounds and hold the same records write the same file.`,
    )
    .action(async (given: CreditsArguments) => (await import("../commands/credits.ts")).credits(given));
}

/** `starling ledger`: what it takes. */
import { type Command, Option } from "commander";
import { roundRange, wholeNumber } from "../arguments.ts";
import type { LedgerArguments } from "../commands/ledger.ts";
import { dataOption } from "./options.ts";

export function addLedger(program: Command): void {
  program
    .command("ledger")
    .description("list the contributions in a stopped node's folder: whose, when, included or why not")
    .addOption(dataOption())
    .option("--json", "everything, one JSON object a line", false)
    .option("--author <peer-id>", "only this author's")
    .option("--phase <number>", "only of this phase", wholeNumber(0, 6))
    .addOption(new Option("--round <number>", "only of this round").argParser(roundRange).conflicts("rounds"))
    .option("--rounds <first-last>", "only of these rounds", roundRange)
    .option("--included", "only what history includes")
    .addOption(new Option("--excluded", "only what history leaves out").conflicts("included"))
    .addHelpText(
      "after",
      `
Reasons for being excluded: other history (it built on another settled state), equivocation (two of one author in a
round), round not decided (nobody has cited it yet), not yet settled (later citations may still include it), not cited by
half of the weight.

Examples:
  $ starling ledger --rounds 5-9 --excluded
  $ starling ledger --json | jq -r 'select(.included) | .author' | sort | uniq -c`,
    )
    .action(async (given: LedgerArguments) => (await import("../commands/ledger.ts")).ledger(given));
}

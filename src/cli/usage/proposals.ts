/** `starling propose`, `proposals` and `support`: what they take. */
import type { Command } from "commander";
import type { Cid } from "../../core/index.ts";
import { cidOrNone, wholeNumber } from "../arguments.ts";
import type { ProposalsArguments, ProposeArguments, SupportArguments } from "../commands/proposals.ts";
import { dataOption } from "./options.ts";

/** Guess: a day of rounds of some minutes, time for everybody to look. */
const WITHIN_ROUNDS = 500;

export function addProposals(program: Command): void {
  program
    .command("propose <manifest>")
    .description("propose a successor of the run: a changed manifest that goes on from what has been learned")
    .addOption(dataOption())
    .option(
      "--within <rounds>",
      "settled rounds in which it has to be carried",
      wholeNumber(1, 1_000_000),
      WITHIN_ROUNDS,
    )
    .addHelpText(
      "after",
      `
Examples:
  $ starling propose next.json

The manifest is one like \`starling init\` writes; its first phase has the model of the phase that the run is in, and its
data is in this node's folder (\`starling data add\`). It is carried when contributors with two thirds of the voting
weight name it in as many settled rounds in a row as the run's settleDepth; they go on with it, everybody else may stay.`,
    )
    .action(async (manifest: string, given: ProposeArguments) =>
      (await import("../commands/proposals.ts")).propose(manifest, given),
    );
  program
    .command("proposals")
    .description("proposed successors of the run: what they change, who supports them, until when")
    .addOption(dataOption())
    .option("--json", "everything, for scripts", false)
    .addHelpText("after", "\nExample:\n  $ starling proposals")
    .action(async (given: ProposalsArguments) => (await import("../commands/proposals.ts")).proposals(given));
  program
    .command("support")
    .description("name a proposal in this node's contributions from now on; `none`: no longer")
    .argument("<proposal>", "its CID, as `starling proposals` prints it, or none", cidOrNone)
    .addOption(dataOption())
    .addHelpText(
      "after",
      "\nExamples:\n  $ starling support bafyreighxhe6p7h4klqgdanv3lv5n342uhm6a55a2wndrwnaujns52yagm\n  $ starling support none",
    )
    .action(async (proposal: Cid | null, given: SupportArguments) =>
      (await import("../commands/proposals.ts")).support(proposal, given),
    );
}

/** `starling payout`: what it takes. */
import type { Command } from "commander";
import { wholeNumber } from "../arguments.ts";
import type { PayoutSetArguments, PayoutShowArguments } from "../commands/payout.ts";
import { dataOption } from "./options.ts";

export function addPayout(program: Command): void {
  const payout = program
    .command("payout")
    .description("the address that this node's credits are paid to")
    .helpCommand(false);
  payout
    .command("set")
    .description("sign a record that binds an address to this node's key, keep it and print it")
    .argument("<address>", "0x and 40 hex digits")
    .addOption(dataOption())
    .option(
      "--sequence <number>",
      "instead of one more than the last: the highest wins, should an earlier record be lost",
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .addHelpText(
      "after",
      "\nExample:\n  $ starling payout set 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed > me.json",
    )
    .action(async (address: string, given: PayoutSetArguments) =>
      (await import("../commands/payout.ts")).setPayoutAddress(address, given),
    );
  payout
    .command("show")
    .description("print the signed record, to give to whoever exports credits")
    .addOption(dataOption())
    .addHelpText("after", "\nExample:\n  $ starling payout show > records/me.json")
    .action(async (given: PayoutShowArguments) => (await import("../commands/payout.ts")).showPayout(given));
}

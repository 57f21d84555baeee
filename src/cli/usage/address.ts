/** `starling address`: what it takes. */
import type { Command } from "commander";
import type { AddressArguments } from "../commands/address.ts";
import { dataOption } from "./options.ts";

export function addAddress(program: Command): void {
  program
    .command("address")
    .description("print the run's address: what others paste after `starling join`")
    .addOption(dataOption())
    .addHelpText(
      "after",
      `
It names the run, its newest settled state and a few nodes. Whoever gets it trusts you with that state.

Example:
  $ starling address`,
    )
    .action(async (given: AddressArguments) => (await import("../commands/address.ts")).address(given));
}

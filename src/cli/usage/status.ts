/** `starling status`: what it takes. */
import type { Command } from "commander";
import type { StatusArguments } from "../commands/status.ts";
import { dataOption } from "./options.ts";

export function addStatus(program: Command): void {
  program
    .command("status")
    .description("what the node is doing, or what its folder says when it is not running")
    .addOption(dataOption())
    .option("--json", "everything, for scripts", false)
    .addHelpText("after", "\nExample:\n  $ starling status --json | jq .settled.root")
    .action(async (given: StatusArguments) => (await import("../commands/status.ts")).status(given));
}

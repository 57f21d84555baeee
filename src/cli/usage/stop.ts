/** `starling stop` and `leave`: what they take. */
import type { Command } from "commander";
import type { StopArguments } from "../commands/stop.ts";
import { dataOption } from "./options.ts";

export function addStop(program: Command): void {
  program
    .command("stop")
    .description("stop the node that runs on a data folder, and wait until it has")
    .addOption(dataOption())
    .option("--after-round", "when the round under way is done and published", false)
    .addHelpText(
      "after",
      `
Nothing is lost either way: what was trained goes into the next round's delta. Started again, the node goes on.

Examples:
  $ starling stop
  $ starling stop --after-round --data my-node`,
    )
    .action(async (given: StopArguments) => (await import("../commands/stop.ts")).stop(given));
  program
    .command("leave")
    .description("stop the node after this round, when others hold what it gave last")
    .addOption(dataOption())
    .addHelpText(
      "after",
      `
For a node that may not come back: its last work counts only when others have pulled and cited it.

Example:
  $ starling leave`,
    )
    .action(async (given: StopArguments) => (await import("../commands/stop.ts")).leave(given));
}

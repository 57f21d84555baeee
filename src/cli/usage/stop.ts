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
    .action(async (given: StopArguments) => (await import("../commands/stop.ts")).stop(given));
  program
    .command("leave")
    .description("stop the node after this round, when others hold what it gave last")
    .addOption(dataOption())
    .action(async (given: StopArguments) => (await import("../commands/stop.ts")).leave(given));
}

/** `starling top`: what it takes. */
import type { Command } from "commander";
import { wholeNumber } from "../arguments.ts";
import type { TopArguments } from "../commands/top.ts";
import { dataOption } from "./options.ts";

export function addTop(program: Command): void {
  program
    .command("top")
    .description("watch one or many nodes in the terminal, until Ctrl-C")
    .argument("[node...]", "data folders, or dashboards such as http://127.0.0.1:4780/")
    .addOption(dataOption())
    .option("--interval <seconds>", "look so often", wholeNumber(1, 3600), 1)
    .option("--once", "look once and end", false)
    .addHelpText(
      "after",
      `
Without nodes it shows the one on --data. On a terminal the table is redrawn; elsewhere there is a line per round.

Examples:
  $ starling top
  $ starling top http://127.0.0.1:4780/ http://10.0.0.7:4780/
  $ starling top nodes/*`,
    )
    .action(async (nodes: string[], given: TopArguments) =>
      (await import("../commands/top.ts")).top(nodes, given),
    );
}

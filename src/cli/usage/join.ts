/** `starling join`: what it takes. */
import type { Command } from "commander";
import type { StartArguments } from "../start-options.ts";
import { addNodeOptions } from "./node-options.ts";

export function addJoin(program: Command): void {
  const command = program
    .command("join")
    .description("join a run at the address that `starling address` prints on another machine, and train")
    .argument("<address>", "the whole string, which begins with starling1");
  addNodeOptions(command)
    .addHelpText(
      "after",
      `
The node fetches the run and the settled state that the address names, follows only histories that go on from it, and
takes the same options as \`starling start\`. Once joined, \`starling start --run <cid>\` goes on in the same folder.

Example:
  $ starling join starling1o2NydW7YKlgl…`,
    )
    .action(async (address: string, given: Omit<StartArguments, "run">, started: Command) =>
      (await import("../commands/join.ts")).join(address, given, started),
    );
}

/** `starling start`: what it takes. */
import type { Command } from "commander";
import type { StartArguments } from "../start-options.ts";
import { addNodeOptions } from "./node-options.ts";

export function addStart(program: Command): void {
  const command = program
    .command("start")
    .description("run a node in the foreground: find the others, train, contribute; Ctrl-C stops it")
    .requiredOption("--run <file|cid>", "the run: its manifest's file, or its CID to fetch that from a peer");
  addNodeOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ starling start --run run.json --listen /ip4/0.0.0.0/tcp/4001
  $ starling start --run bafyrei… --bootstrap /ip4/192.0.2.7/tcp/4001/p2p/12D3KooW… --data my-node`,
    )
    .action(async (given: StartArguments, started: Command) =>
      (await import("../commands/start.ts")).start(given, started),
    );
}

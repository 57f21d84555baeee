/** `starling runs`: what it takes. */
import type { Command } from "commander";
import { multiaddrs } from "../arguments.ts";
import type { RunsArguments } from "../commands/runs.ts";
import { dataOption } from "./options.ts";

export function addRuns(program: Command): void {
  program
    .command("runs")
    .description("list live runs that anybody may join: size, who is there, what they ask of a machine")
    .argument("[address...]", "addresses of runs, as `starling address` prints them, to begin at")
    .addOption(dataOption())
    .option("--bootstrap <address>", "begin at this node, of whatever run; may be repeated", multiaddrs, [])
    .option("--local", "follow private and loopback addresses too", false)
    .option("--json", "everything, for scripts", false)
    .option(
      "--config <file>",
      "read options from this YAML file, such as: bootstrap: /ip4/192.0.2.7/tcp/4001/p2p/12D3KooW…",
    )
    .addHelpText(
      "after",
      `
Where a node runs on the folder, it is asked; else, or where addresses are given, the search begins at those. The nodes
of open runs tell of themselves, unless they were started with --unlisted or --local. What they say of contributors is
theirs to say; name, size and costs follow from the manifest. An address that is printed has no settled root, since
strangers are not to be trusted with one: whoever joins by it reads all headers and checks them.

Examples:
  $ starling runs
  $ starling runs --bootstrap /ip4/192.0.2.7/tcp/4001/p2p/12D3KooW…
  $ starling runs --json | jq -r '.[0].address'`,
    )
    .action(async (addresses: string[], given: RunsArguments) =>
      (await import("../commands/runs.ts")).runs(addresses, given),
    );
}

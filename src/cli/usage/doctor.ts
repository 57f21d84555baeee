/** `starling doctor`: what it takes. */
import type { Command } from "commander";
import { multiaddrs } from "../arguments.ts";
import type { DoctorArguments } from "../commands/doctor.ts";
import { dataOption, threadsOption } from "./options.ts";

export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description(
      "look at what a node needs here, engine, disk, port and so on, and name the fix for each fault",
    )
    .addOption(dataOption())
    .option("--listen <address>", "where a node shall listen; may be repeated", multiaddrs, [])
    .option("--address <address>", "a run's address, to see whether anybody answers there")
    .addOption(threadsOption("CPU threads of the engines' trials"))
    .option("--json", "one JSON object a line, for scripts", false)
    .addHelpText(
      "after",
      `
Where a node runs on the folder, it is asked how it is reached and whom it has met. Nothing is sent to anybody but the
nodes of --address.

Exit codes: 0 a node can do its work here, 1 it cannot (a line begins with "fault").

Examples:
  $ starling doctor
  $ starling doctor --listen /ip4/0.0.0.0/tcp/4001 --address starling1…
  $ starling doctor --json | jq 'select(.state == "fault")'`,
    )
    .action(async (given: DoctorArguments) => (await import("../commands/doctor.ts")).doctor(given));
}

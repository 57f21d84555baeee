/** `starling verify`: what it takes. */
import type { Command } from "commander";
import type { VerifyArguments } from "../commands/verify.ts";
import { dataOption } from "./options.ts";

export function addVerify(program: Command): void {
  program
    .command("verify")
    .description("check a stopped node's whole history: hashes, signatures, citations, every fold and root")
    .addOption(dataOption())
    .option("--from-start", "check again what an earlier check has checked", false)
    .option("--json", "findings and report as JSON lines, for scripts", false)
    .addHelpText(
      "after",
      `
It goes on where the last check left off, and needs no network. Each finding names a contribution or a file, what was
expected and what came.

Exit codes: 0 all checked and true, 1 something is false (or it could not be done), 2 nothing is false, but not all could
be checked, because bodies are not here any more or it was stopped early.

Examples:
  $ starling verify --data my-node
  $ starling verify --from-start --json | jq .findingsCount`,
    )
    .action(async (given: VerifyArguments) => (await import("../commands/verify.ts")).verify(given));
}

/** `starling pause` and `resume`: what they take. */
import type { Command } from "commander";
import type { PauseArguments } from "../commands/pause.ts";
import { dataOption } from "./options.ts";

export function addPause(program: Command): void {
  program
    .command("pause")
    .description("stop training within one step, publish what was learned, and keep serving others")
    .addOption(dataOption())
    .addHelpText("after", "\nExample:\n  $ starling pause && ./my-game; starling resume")
    .action(async (given: PauseArguments) => (await import("../commands/pause.ts")).pause(given));
  program
    .command("resume")
    .description("train again after a pause")
    .addOption(dataOption())
    .addHelpText("after", "\nExample:\n  $ starling resume --data my-node")
    .action(async (given: PauseArguments) => (await import("../commands/pause.ts")).resume(given));
}

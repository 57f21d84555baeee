/** The page of commands: what each says with `--help`, at a fixed width. */
import type { Command } from "commander";
import { createProgram } from "../../src/cli/program.ts";
import { opening } from "./markdown.ts";

const WIDTH_CHARS = 110;

export function renderCommands(): string {
  const program = createProgram();
  const sections = [program, ...within(program)].map(
    (command) => `\n## ${fullName(command)}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`,
  );
  const text =
    "What every command says with `--help`. Which settings can also stand elsewhere: [settings.md](settings.md).";
  return `${opening("Commands", text)}${sections.join("")}`;
}

/** Every visible command that does something, in the order of the help. */
export function within(command: Command): Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .flatMap((each) => (each.commands.length > 0 ? within(each) : [each]));
}

export function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function helpOf(command: Command): string {
  const parts: string[] = [];
  command.configureOutput({ writeOut: (text) => parts.push(text), getOutHelpWidth: () => WIDTH_CHARS });
  command.outputHelp();
  return parts.join("").trim();
}

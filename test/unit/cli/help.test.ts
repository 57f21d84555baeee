/** N7: `--help` teaches: every command says what it is for and shows itself being used, with options that it has. */
import { describe, expect, test } from "vitest";
import type { Command } from "commander";
import { fullName, within } from "../../../scripts/pages/commands.ts";
import { createProgram } from "../../../src/cli/program.ts";

function helpOf(command: Command): string {
  const parts: string[] = [];
  command.configureOutput({ writeOut: (text) => parts.push(text) });
  command.outputHelp();
  return parts.join("");
}

/** The lines that one can type; one line may hold several commands. */
function examplesIn(help: string): string[] {
  const lines = [...help.matchAll(/^ {2}\$ (.+)$/gm)].map(([, line = ""]) => line);
  return lines.flatMap((line) => line.split(/;|&&|\|/)).map((part) => part.trim());
}

const commands = within(createProgram());

describe("N7 --help teaches", () => {
  test.each(commands.map((command) => [fullName(command), command] as const))("%s", (name, command) => {
    expect(command.description()).not.toBe("");
    const own = examplesIn(helpOf(command)).filter((line) => `${line} `.startsWith(`${name} `));
    expect(own, `expected an example of ${name}`).not.toEqual([]);
    const known = ["--help", ...command.options.map(({ long }) => long)];
    for (const line of own)
      for (const [flag] of line.matchAll(/(?<= )--[a-z][a-z-]*/g)) expect(known, line).toContain(flag);
    for (const { long, description } of command.options) expect(description, `${name} ${long}`).not.toBe("");
  });

  test("the program's own help names every exit code that it has", () => {
    expect(helpOf(createProgram())).toMatch(/Exit codes: 0 ok, 1 .+, 2 .+, 70 .+, 130 /);
  });
});

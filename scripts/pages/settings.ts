/** The page of settings: every option as flag, key of a settings file, and environment variable, with its default. */
import type { Command, Option } from "commander";
import { createProgram } from "../../src/cli/program.ts";
import { namesOf, variableOf } from "../../src/cli/settings.ts";
import { fullName, within } from "./commands.ts";
import { code, opening, table } from "./markdown.ts";

const TEXT = `The command line wins over the environment, that over the file of \`--config\` (only \`starling start\` reads one), that
over the default. How to write them: [operating.md](../operating.md#settings).`;

export function renderSettings(): string {
  const sections = within(createProgram())
    .map(
      (command) =>
        [command, [...namesOf(command)].map(([name, options]) => rowOf(command, name, options))] as const,
    )
    .filter(([, rows]) => rows.length > 0)
    .map(([command, rows]) => {
      const head = ["flag", ...(readsFile(command) ? ["in the file"] : []), "environment", "default"];
      return `\n## ${fullName(command)}\n\n${table(head, rows)}`;
    });
  return `${opening("Settings", TEXT)}${sections.join("")}`;
}

function rowOf(command: Command, name: string, options: readonly Option[]): string[] {
  const flags = options.map(({ flags: text }) => code(text)).join(", ");
  const key = name === "config" ? "–" : code(name);
  return [flags, ...(readsFile(command) ? [key] : []), code(variableOf(name)), defaultOf(options)];
}

function readsFile(command: Command): boolean {
  return namesOf(command).has("config");
}

function defaultOf(options: readonly Option[]): string {
  if (options.some(({ mandatory }) => mandatory)) return "must be given";
  // `--no-dht` switches off what is otherwise on; beside a `--dashboard` it is that one's default that counts.
  const { defaultValue, defaultValueDescription: words } =
    options.find(({ negate }) => !negate) ?? options[0] ?? {};
  const value: unknown = defaultValue;
  if (words !== undefined) return words;
  if (typeof value === "string") return value === "" ? "empty" : code(value);
  return value === undefined || (Array.isArray(value) && value.length === 0)
    ? "–"
    : code(JSON.stringify(value));
}

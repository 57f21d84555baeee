/**
 * Where an option's value comes from when the command line does not say: the environment (`STARLING_LOG_LEVEL=warn`), then
 * a file of settings (`log-level: warn`), then the default. All three are read by the option's own reader, so a value is
 * right or wrong in the same way wherever it stands.
 */
import { readFile } from "node:fs/promises";
import { type Command, InvalidArgumentError, type Option } from "commander";
import { messageOf } from "../core/index.ts";
import { UsageError } from "./failure.ts";

export type Source = "env" | "config";

const CONFIG_VARIABLE = "STARLING_CONFIG";

/**
 * Sets what the file and the environment say. `args`: what follows the command's name.
 * @throws UsageError for a file that cannot be read, a key that is no option, or a value that the option refuses
 */
export async function applySettings(
  command: Command,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const names = namesOf(command);
  if (names.has("config")) {
    const path = given(args, "--config") ?? env[CONFIG_VARIABLE];
    for (const [name, value] of path === undefined ? [] : await readSettings(path)) {
      if (!names.has(name) || name === "config") {
        const known = [...names.keys()].filter((each) => each !== "config").join(", ");
        throw new UsageError(`${path}: expected one of ${known}, got ${name}`);
      }
      set({ command, name, value, source: "config", from: `${path}: ${name}` }, args);
    }
  }
  for (const name of names.keys()) {
    const variable = variableOf(name);
    const value = env[variable];
    // Container files pass on what is not set as empty.
    if (value !== undefined && value !== "")
      set({ command, name, value, source: "env", from: variable }, args);
  }
}

/** `STARLING_LOG_LEVEL` for `log-level`. */
export function variableOf(name: string): string {
  return `STARLING_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** A command's options by the name that files use: `log-level`; `dht` for `--no-dht`. */
export function namesOf(command: Command): Map<string, Option[]> {
  const names = new Map<string, Option[]>();
  for (const option of command.options) {
    const name = option.attributeName().replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (option.long !== "--version") names.set(name, [...(names.get(name) ?? []), option]);
  }
  return names;
}

interface Setting {
  readonly command: Command;
  readonly name: string;
  readonly value: unknown;
  readonly source: Source;
  /** Where it stands, for messages. */
  readonly from: string;
}

function set(setting: Setting, args: readonly string[]): void {
  const { command, name, source } = setting;
  const options = namesOf(command).get(name) ?? [];
  // The command line wins, also over lists, which would otherwise be added to.
  if (options.some(({ long }) => long !== undefined && given(args, long) !== undefined)) return;
  const [attribute] = options.map((option) => option.attributeName());
  if (attribute !== undefined) command.setOptionValueWithSource(attribute, valueOf(setting, options), source);
}

function valueOf({ value, from }: Setting, options: readonly Option[]): unknown {
  const taking = options.find((option) => option.required || option.optional);
  const isFlag = taking === undefined || taking.optional || options.some((option) => option.negate);
  const flag = isFlag ? flagOf(value) : undefined;
  if (flag !== undefined) return flag;
  if (taking === undefined) throw new UsageError(`${from}: expected true or false, got ${shown(value)}`);
  try {
    return read(taking, value);
  } catch (error) {
    // Translated: commander would name the command line.
    if (error instanceof InvalidArgumentError) throw new UsageError(`${from}: ${error.message}`);
    throw error;
  }
}

/** A list is given to the option's reader one by one, as repeated options are. */
function read(option: Option, value: unknown): unknown {
  const texts = (Array.isArray(value) ? value : [value]).map((each) => {
    if (["string", "number"].includes(typeof each)) return String(each);
    throw new InvalidArgumentError(`Expected text or a number, got ${shown(each)}.`);
  });
  const { parseArg } = option;
  if (texts.length !== 1 && !Array.isArray(option.defaultValue))
    throw new InvalidArgumentError(`Expected one value, got ${texts.length}.`);
  if (parseArg === undefined) return texts[0];
  return texts.reduce<unknown>((previous, text) => parseArg(text, previous), option.defaultValue);
}

function flagOf(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (["true", "1", "yes"].includes(String(value))) return true;
  return ["false", "0", "no"].includes(String(value)) ? false : undefined;
}

/** The value of a long option on the command line; empty for a flag. */
function given(args: readonly string[], long: string): string | undefined {
  const at = args.findIndex((arg) => arg === long || arg.startsWith(`${long}=`));
  const arg = args[at];
  if (arg === undefined) return undefined;
  return arg === long ? (args[at + 1] ?? "") : arg.slice(long.length + 1);
}

async function readSettings(path: string): Promise<[string, unknown][]> {
  const { parse } = await import("yaml");
  let value: unknown;
  try {
    value = parse(await readFile(path, "utf8"));
  } catch (error) {
    // Translated: says which file, and that it was meant to hold settings.
    throw new UsageError(`expected settings as YAML in ${path}: ${messageOf(error)}`);
  }
  if (value === null) return [];
  if (typeof value === "object" && !Array.isArray(value)) return Object.entries(value);
  throw new UsageError(`${path}: expected lines such as "log-level: warn", got ${shown(value)}`);
}

function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 100) ?? "nothing";
}

/**
 * F13: whatever the README tells people to type exists, and what it shows is what really comes out. Commands are the
 * fenced lines that begin with `$ ` and the inline code that begins with npm or node.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { createProgram } from "../../src/cli/program.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** The tiny preset takes seconds; a busy machine may take many times that. */
const TESTNET_TIMEOUT_MS = 180_000;

const readme = readFileSync(join(ROOT, "README.md"), "utf8");
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

const blocks = [...readme.matchAll(/^```\w*\n(.*?)^```$/gms)].map((match) => (match[1] ?? "").split("\n"));
const fenced = blocks
  .flat()
  .filter((line) => line.startsWith("$ "))
  .map((line) => line.slice(2));
const inline = [...readme.matchAll(/`((?:npm|node) [^`]+)`/g)].map((match) => match[1] ?? "");
const commands = [...new Set([...fenced, ...inline].flatMap((line) => line.split(" && ")))];

/** Our npm scripts and files, in this process's Node, as `npm run` would. */
async function run(command: string, args: readonly string[], timeoutMs: number): Promise<string> {
  const path = [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
  const { stdout } = await promisify(execFile)(command, args, {
    cwd: ROOT,
    env: { ...process.env, PATH: path, NO_COLOR: "1" },
    timeout: timeoutMs,
    shell: process.platform === "win32",
  });
  return stdout;
}

function flagsIn(text: string): string[] {
  return [...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag);
}

/** Long options of one of starling's commands, or of the command inside it; undefined when there is no such command. */
function optionsOf(
  command: string | undefined,
  inner?: string,
): { all: string[]; required: string[] } | undefined {
  const outer = createProgram().commands.find((each) => each.name() === command);
  const found = outer?.commands.find((each) => each.name() === inner) ?? outer;
  if (found === undefined) return undefined;
  const long = (options: readonly { long?: string | undefined }[]): string[] =>
    options.map((option) => option.long ?? "");
  return { all: long(found.options), required: long(found.options.filter((option) => option.mandatory)) };
}

describe("F13: the README's commands", () => {
  test("those that a newcomer types first are these", () => {
    const first = fenced.filter((line) => line.startsWith("npm ci"));
    expect(first).toEqual(["npm ci && npm run testnet", "npm ci && npm test", "npm ci"]);
    expect(readme).not.toContain("npx starling");
  });

  test.each(commands)("%s", async (command) => {
    const [program, verb, name, dashes, ...rest] = command.split(" ");
    if (program === "node") return expect(existsSync(join(ROOT, verb ?? "")), verb).toBe(true);
    if (verb !== "run") return expect(["ci", "test", "pack"], command).toContain(verb);
    expect(Object.keys(scripts)).toContain(name);
    if (dashes === undefined) return;
    expect(dashes, "npm keeps options for itself unless -- comes first").toBe("--");
    if (name === "testnet") {
      const help = await run(process.execPath, ["scripts/testnet.ts", "--help"], 60_000);
      expect([...flagsIn(help)]).toEqual(expect.arrayContaining(flagsIn(rest.join(" "))));
      return;
    }
    expect(name).toBe("starling");
    const options = optionsOf(rest[0], rest[1]);
    expect(options, `starling ${rest[0]}`).toBeDefined();
    expect(options?.all).toEqual(expect.arrayContaining(flagsIn(rest.join(" "))));
    expect(flagsIn(rest.join(" "))).toEqual(expect.arrayContaining(options?.required ?? []));
  });

  test("every option that the text names belongs to some command", async () => {
    const help = await run(process.execPath, ["scripts/testnet.ts", "--help"], 60_000);
    const known = createProgram().commands.flatMap((command) => optionsOf(command.name())?.all ?? []);
    const named = [...readme.matchAll(/`(--[^`]+)`/g)].flatMap((match) => flagsIn(match[1] ?? ""));
    expect(named.length).toBeGreaterThan(0);
    expect([...known, ...flagsIn(help)]).toEqual(expect.arrayContaining(named));
  });
});

/** A line of the testnet without what differs from run to run. */
function kindOf(line: string): string {
  if (line.startsWith("  |")) return "  | (text)";
  return line
    .replace(/^(folder|checkpoint|report)(\s+).*/, "$1 PATH")
    .replace(/\bbafy\w+/, "CID")
    .replace(/root +(–|[0-9a-f]{8} \(\d+\))$/, "root ROOT")
    .replace(/\b[0-9a-f]{64}\b/, "DIGEST")
    .replaceAll(/(\d+ min )?\d+(\.\d+)? s\b/g, "TIME")
    .replaceAll(/(\d+(\.\d+)?( ([kMGT]?B|[kMGT])\b)?|–)/g, "N")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** The kinds of lines, each once; without npm's own lines and the dots that stand for rounds left out. */
function kindsOf(lines: readonly string[]): string[] {
  const ours = lines.filter((line) => line !== "" && line !== "..." && !line.startsWith(">"));
  return [...new Set(ours.map(kindOf))].toSorted();
}

test(
  "F13: the transcript has the lines that the command really prints, and no others",
  { timeout: TESTNET_TIMEOUT_MS },
  async () => {
    const block = blocks.find(([command]) => command === "$ npm ci && npm run testnet") ?? [];
    const [command, ...shown] = block;
    expect(shown.length).toBeGreaterThan(10);
    const [program = "", ...args] = command?.split(" && ").at(-1)?.split(" ") ?? [];
    const dir = await mkdtemp(join(tmpdir(), "readme-"));
    const smaller = ["--", "--preset", "tiny", "--nodes", "2", "--dir", dir];
    const printed = await run(program, [...args, ...smaller], TESTNET_TIMEOUT_MS);
    expect(kindsOf(shown)).toEqual(kindsOf(printed.split("\n")));
    // Only now: after a failure the nodes' logs are what one wants to read.
    await rm(dir, { recursive: true });
  },
);

describe("F13: the README's map of the code", () => {
  const rooms = [...readme.matchAll(/^\| `(src\/\w+\/)` .*\| (\d+) +\|$/gm)];

  test.each(rooms.map((match) => [match[1] ?? "", Number(match[2])] as const))(
    "%s has about %d lines",
    (room, linesCount) => {
      const files = readdirSync(join(ROOT, room), { recursive: true, encoding: "utf8" });
      const sources = files.filter((file) => file.endsWith(".ts"));
      const texts = sources.map((file) => readFileSync(join(ROOT, room, file), "utf8"));
      const lines = texts.reduce((total, text) => total + text.split("\n").length - 1, 0);
      // A rounded number that is off by a quarter misleads.
      expect(Math.abs(lines - linesCount)).toBeLessThan(0.25 * lines);
    },
  );

  test("it names every room that has code", () => {
    const src = readdirSync(join(ROOT, "src"), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    const withCode = src.filter(({ name }) => existsSync(join(ROOT, "src", name, "index.ts")));
    expect(rooms.map((match) => match[1]).toSorted()).toEqual(
      withCode.map(({ name }) => `src/${name}/`).toSorted(),
    );
  });

  test.each([...readme.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1] ?? ""))("%s is there", (link) => {
    const [file = ""] = link.split("#");
    expect(link.startsWith("https://") || existsSync(join(ROOT, file)), link).toBe(true);
  });
});

/** N7: what the shell offers after Tab, and that a real bash does offer it. */
import { execFileSync, spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { COMPLETION_SCRIPTS, completionsOf } from "../../../src/cli/completion.ts";
import { createProgram } from "../../../src/cli/program.ts";
import { lacks } from "../../support/lacking.ts";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

function words(line: string): string[] {
  return completionsOf(createProgram(), line.split(" ").slice(1)).map(({ word }) => word);
}

describe("N7 completion", () => {
  test.each([
    ["starling sta", ["start", "status"]],
    ["starling compl", ["completion"]],
    ["starling payout ", ["set", "show"]],
    ["starling payout set --seq", ["--sequence"]],
    ["starling start --eng", ["--engine"]],
    ["starling start --engine c", ["cpu", "cuda", "coreml"]],
    ["starling start --run run.json --priority ", ["low", "normal"]],
    ["starling start --when=idle --dry", ["--dry-run"]],
    ["starling start --help", ["--help"]],
    ["starling completion ", ["bash", "zsh", "fish"]],
    ["starling start --run ", []],
    ["starling data add ", []],
    ["starling fly --", ["--version", "--help"]],
  ])("%s", (line, expected) => {
    expect(words(line)).toEqual(expected);
  });

  test("`starling ` alone offers every command of the help, with what it does", () => {
    const program = createProgram();
    const offered = completionsOf(program, [""]);
    expect(offered.map(({ word }) => word)).toEqual(
      program
        .createHelp()
        .visibleCommands(program)
        .map((command) => command.name()),
    );
    expect(offered.every(({ description }) => description !== "")).toBe(true);
  });
});

const lacksShell = (shell: string): boolean =>
  lacks(spawnSync(shell, ["-c", "exit 0"]).status === 0, `${shell} (completion)`);

const CASES = [
  ["starling le", ["leave", "ledger"]],
  ["starling key ", ["export", "import"]],
  ["starling start --max-", ["--max-upload", "--max-download"]],
  ["starling start --log-level w", ["warn"]],
] as const;

/** What a shell prints that runs a script in which `starling` is ours. */
function printed(command: string, args: readonly string[]): string[] {
  const env = { PATH: process.env["PATH"] ?? "", NODE: process.execPath, MAIN, HOME: tmpdir() };
  return execFileSync(command, args, { env, encoding: "utf8" })
    .split("\n")
    .filter((word) => word !== "");
}

/** What our function hands to zsh's `compadd`, or that it asks for files. */
function zsh(line: string): string[] {
  const words = line.split(" ").map((word) => `'${word}'`);
  const script = `
autoload -Uz compinit && compinit -u -D
starling() { "$NODE" "$MAIN" "$@"; }
eval "$(starling completion zsh)"
[[ $_comps[starling] == _starling ]] || exit 1
compadd() { shift; print -rl -- "$@"; }
_files() { print -r -- FILES; }
words=(${words.join(" ")}); CURRENT=$#words
_starling`;
  return printed("zsh", ["-f", "-c", script]);
}

/** What fish itself would offer. */
function fish(line: string): string[] {
  const script = `
function starling; $NODE $MAIN $argv; end
starling completion fish | source
complete -C '${line}'`;
  return printed("fish", ["--no-config", "-c", script]).map((each) => each.split("\t")[0] ?? "");
}

describe.skipIf(lacksShell("zsh"))("N7 completion in a real zsh", () => {
  test.each(CASES)("%s", (line, expected) => {
    expect(zsh(line)).toEqual(expected);
  });

  test("where a file's name is wanted it asks for files", () => {
    expect(zsh("starling export --out ")).toEqual(["FILES"]);
  });
});

describe.skipIf(lacksShell("fish"))("N7 completion in a real fish", () => {
  test.each(CASES)("%s", (line, expected) => {
    expect(fish(line)).toEqual(expect.arrayContaining([...expected]));
    expect(fish(line).length).toBe(expected.length);
  });

  test("what each word means stands beside it", () => {
    const script = `function starling; $NODE $MAIN $argv; end; starling completion fish | source; complete -C 'starling le'`;
    expect(printed("fish", ["--no-config", "-c", script])[0]).toMatch(
      /^leave\tstop the node after this round/,
    );
  });
});

/** What a bash that has sourced the script offers for a line, as after Tab. */
function bash(line: string): string[] {
  const script = `
starling() { "$NODE" "$MAIN" "$@"; }
source /dev/stdin <<<"$(starling completion bash)"
COMP_WORDS=(${line.endsWith(" ") ? `${line}''` : line})
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
$(complete -p starling | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { PATH: process.env["PATH"] ?? "", NODE: process.execPath, MAIN };
  const out = execFileSync("bash", ["--norc", "-euo", "pipefail", "-c", script], { env, encoding: "utf8" });
  return out.split("\n").filter((word) => word !== "");
}

describe.skipIf(process.platform === "win32")("N7 completion in a real bash", () => {
  test.each([
    ["starling le", ["leave", "ledger"]],
    ["starling key ", ["export", "import"]],
    ["starling start --max-", ["--max-upload", "--max-download"]],
    ["starling start --log-level w", ["warn"]],
    ["starling export --out ", []],
  ])("%s", (line, expected) => {
    expect(bash(line)).toEqual(expected);
  });

  test("`starling completion` prints the script of each shell, and a shell it does not know is a usage error", () => {
    for (const [shell, script] of Object.entries(COMPLETION_SCRIPTS))
      expect(execFileSync(process.execPath, [MAIN, "completion", shell], { encoding: "utf8" })).toBe(script);
    expect(() => execFileSync(process.execPath, [MAIN, "completion", "csh"], { stdio: "pipe" })).toThrow(
      /bash, zsh, fish/,
    );
  });
});

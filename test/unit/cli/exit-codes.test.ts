/** N7: the exit codes that docs/reference/error-codes.md lists, each from a real process. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const CLI = fileURLToPath(new URL("../../../src/cli/", import.meta.url));
const PAGE = fileURLToPath(new URL("../../../docs/reference/error-codes.md", import.meta.url));

function node(...args: string[]): Promise<{ code: number; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: tmpdir() }, (error, _, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stderr }),
    );
  });
}

/** A program of one line that uses a file of ours. */
function script(file: string, code: string): string[] {
  return ["--input-type=module", "-e", `import * as cli from ${JSON.stringify(join(CLI, file))}; ${code}`];
}

describe("N7 exit codes", () => {
  test("the page lists them all", () => {
    const [, section = ""] = readFileSync(PAGE, "utf8").split("## Exit codes");
    const listed = [...section.matchAll(/^\| (\d+) /gm)].map(([, code]) => Number(code));
    expect(listed).toEqual([0, 1, 2, 70, 130]);
  });

  test.concurrent.each([
    ["0: what it was asked for", ["--version"], 0, /^$/],
    ["1: it could not be done", ["status", "--data", "no-such-folder"], 1, /^error [A-Z_]+: expected/],
    ["2: wrong arguments", ["status", "--jsno"], 2, /unknown option/],
  ])("%s", async (_, args, code, says) => {
    const ended = await node(join(CLI, "main.ts"), ...args);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toMatch(says);
  });

  test("70: a mistake of ours, with its stack and what to do", async () => {
    const bug = "process.exitCode = cli.reportFailure(new TypeError('undefined is not a bird'))";
    const ended = await node(...script("failure.ts", bug));
    expect(ended.code).toBe(70);
    expect(ended.stderr).toMatch(/^error BUG: .*please report.*\nTypeError: undefined is not a bird\n +at /);
  });

  test("130: a second Ctrl-C while the first still waits", async () => {
    const waiting =
      "cli.onStopSignal(() => undefined); setInterval(() => undefined, 1000); console.log('up')";
    const child = spawn(process.execPath, script("signals.ts", waiting), { stdio: "pipe" });
    const exit = once(child, "exit");
    await once(child.stdout, "data");
    child.kill("SIGINT");
    expect(String((await once(child.stderr, "data"))[0])).toBe("stopping; again to force\n");
    child.kill("SIGINT");
    expect((await exit)[0]).toBe(130);
  });
});

/**
 * N7: what a terminal is shown and what a file or pipe gets. `script` (util-linux) gives a process a real terminal; Linux's
 * takes the command by -c.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const WAITING = fileURLToPath(new URL("../../../src/cli/waiting.ts", import.meta.url));
const run = promisify(execFile);
/** Anything but plain text: colours, the cursor. */
const ESCAPE = "\u001b[";
/** Select Graphic Rendition: colours and bold. */
const COLOUR = new RegExp(`${"\\u001b"}\\[[0-9;]*m`);

let dir: string;
let added = 0;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "terminal-"));
  await writeFile(join(dir, "text.txt"), "Call me Ishmael. ".repeat(20_000));
  const words = Array.from({ length: 30_000 }, (_, i) => `${(i * 7919).toString(36)}${i % 97} `);
  await writeFile(join(dir, "words.txt"), words.join(""));
});
afterAll(async () => rm(dir, { recursive: true, force: true }));

/** A command that reads a file of some size. */
function adding(): string[] {
  return [MAIN, "data", "add", "text.txt", "--data", `data-${added++}`];
}

/** All that a terminal would get. */
async function onTerminal(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const quoted = [process.execPath, ...args].map((word) => `'${word}'`).join(" ");
  const command = ["-qefc", `stty cols 100 rows 40; ${quoted}`, "/dev/null"];
  return (await run("script", command, { cwd: dir, env: { ...process.env, TERM: "xterm-256color", ...env } }))
    .stdout;
}

describe.skipIf(process.platform !== "linux")("N7 on a terminal", () => {
  test("work of some length shows a bar, gone before the result is said; with NO_COLOR no colour", async () => {
    const shown = await onTerminal(adding(), { NO_COLOR: "1" });
    expect(shown).toMatch(/cutting .*% of 340 kB/);
    expect(shown).toMatch(/bafkrei\w+\s*$/);
    expect(shown).not.toMatch(COLOUR);
  });

  test("making a tokenizer shows how far counting is, then merging, and leaves neither", async () => {
    const args = [
      "tokenizer",
      "train",
      "--text",
      "words.txt",
      "--vocabulary",
      "4000",
      "--out",
      "tokenizer.json",
    ];
    const shown = await onTerminal([MAIN, ...args], { NO_COLOR: "1" });
    expect(shown.search(/counting words .*% of /)).toBeGreaterThan(-1);
    expect(shown.search(/merging .* of 3743/)).toBeGreaterThan(shown.search(/counting words/));
    expect(shown.slice(shown.lastIndexOf("merging"))).toMatch(/\[0K[^]*tokenizer\.json\s*$/);
  });

  test("what takes longer than a moment says how long it has taken, and nothing of it is left", async () => {
    const slow = `import { waitingFor } from ${JSON.stringify(WAITING)}; import { setTimeout } from "node:timers/promises";
      console.log(await waitingFor("folding wings", setTimeout(3500, "done")));`;
    const shown = await onTerminal(["--input-type=module", "-e", slow.replaceAll("\n", " ")]);
    expect(shown).toMatch(/folding wings: [23] s/);
    // Erased, line by line, before anything else is said.
    expect(shown.slice(shown.lastIndexOf("wings"))).toMatch(/\[2K[^]*done/);
  });
});

describe("N7 into a file or pipe", () => {
  test.each([
    ["data add", adding],
    ["--help", () => [MAIN, "--help"]],
    ["an error", () => [MAIN, "status", "--data", "nowhere"]],
  ])("%s is plain text, without bars", async (_, args) => {
    const env = { ...process.env, TERM: "xterm-256color" };
    const { stdout, stderr } = await run(process.execPath, args(), { cwd: dir, env }).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    expect(stdout + stderr).not.toContain(ESCAPE);
    expect(stdout + stderr).not.toMatch(/[█░]/);
    expect((stdout + stderr).endsWith("\n")).toBe(true);
  });
});

/**
 * N7: the README's first run, as somebody does it who has just come: its commands, in order and nothing else, in a fresh
 * clone in an empty folder with an empty home. Of this machine only npm's own settings are kept (where it gets packages).
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, mkdir, readFile, readdir, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/core/index.ts";
import { type NodeStatus, connectControl } from "../../src/node/index.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SECTION = "## Your first run, in five minutes";
const FIRST_INCLUDED_SECONDS_MAX = 300;
const TIMEOUT_MS = 15 * 60_000;
const POLL_MS = 200;
/** What stands for the line that `starling address` prints. */
const ADDRESS = "starling1…";

let dir: string;
let clone: string;
const terminals: ChildProcess[] = [];
/** What the nodes wrote besides, and how they ended. */
const logs: string[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "first-run-"));
  clone = join(dir, "starling");
  await mkdir(join(dir, "home"));
  await promisify(execFile)("git", ["clone", "-q", "--depth", "1", `file://${ROOT}`, clone]);
});
afterEach(async ({ task }) => {
  // Whatever went wrong, nothing of it goes on, and what a node said of it comes out.
  const open = terminals.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  const closed = open.map((child) => once(child, "close"));
  for (const { pid } of open) if (pid !== undefined) process.kill(-pid, "SIGKILL");
  await Promise.all(closed);
  if (task.result?.state === "fail") process.stdout.write(logs.join(""));
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** The fenced lines of the section that one types, in order. */
async function commandsIn(section: string): Promise<string[]> {
  const readme = await readFile(join(clone, "README.md"), "utf8");
  const [text = ""] = (readme.split(`${section}\n`)[1] ?? "").split("\n## ");
  return [...text.matchAll(/^\$ (.+)$/gm)].map(([, line = ""]) => line);
}

function environment(): NodeJS.ProcessEnv {
  // Without what `npm run` has put before it, or the commands would find this clone's Node.
  const path = (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((entry) => !entry.includes("node_modules"));
  return {
    PATH: path.join(delimiter),
    HOME: join(dir, "home"),
    npm_config_userconfig: process.env["npm_config_userconfig"] ?? join(homedir(), ".npmrc"),
  };
}

/** To its end, which must be a good one. */
async function typed(line: string): Promise<string> {
  const options = { cwd: clone, env: environment(), maxBuffer: 2 ** 24 };
  return (await promisify(execFile)("bash", ["-c", line], options)).stdout;
}

/** In a terminal of its own, where it stays; resolves with what it prints before the node can be reached. */
async function leftRunning(line: string): Promise<string> {
  const child = spawn("bash", ["-c", line], {
    cwd: clone,
    env: environment(),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  terminals.push(child);
  child.stderr.on("data", (chunk) => logs.push(`${line}: ${String(chunk)}`));
  child.on("exit", (code, signal) => logs.push(`${line}: ended with ${code ?? signal}\n`));
  let printed = "";
  // A pipe that is closed would cost the node the lines it still has to say.
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    printed += String(chunk);
    if (/^address .+$/m.test(printed)) {
      child.stdout.resume();
      return printed;
    }
  }
  throw new Error(`expected ${line} to go on, it ended after: ${printed}`);
}

async function until(data: string, fits: (status: NodeStatus) => boolean): Promise<void> {
  for (;;) {
    const status = await (await connectControl(join(clone, data)))?.status();
    if (status !== undefined && fits(status)) return;
    await systemClock.sleep(POLL_MS);
  }
}

test(
  "N7 the README's first run: a joined run, a dashboard, a text, an export, in under 300 s",
  { timeout: TIMEOUT_MS },
  async () => {
    const commands = await commandsIn(SECTION);
    expect(commands.length).toBeGreaterThan(8);
    const startedMs = systemClock.nowMs();
    const printed = new Map<string, string>();
    for (const line of commands) {
      const verb = /starling -- (\w+)/.exec(line)?.[1] ?? line;
      const address = /^starling1\S+$/m.exec(printed.get("address") ?? "")?.[0] ?? ADDRESS;
      if (verb === "start" || verb === "join")
        printed.set(verb, await leftRunning(line.replace(ADDRESS, address)));
      else printed.set(verb, await typed(line));
      if (verb !== "join") continue;
      await until("second", ({ contributionsIncluded }) => contributionsIncluded > 0);
      const secondsToFirstIncluded = (systemClock.nowMs() - startedMs) / 1000;
      process.stdout.write(`secondsToFirstIncluded ${secondsToFirstIncluded.toFixed(1)}\n`);
      expect(secondsToFirstIncluded).toBeLessThan(FIRST_INCLUDED_SECONDS_MAX);
      const url = /^dashboard (\S+)$/m.exec(printed.get("join") ?? "")?.[1];
      expect(await (await fetch(url ?? "")).text()).toContain("<title>");
    }
    expect(printed.get("status")).toMatch(/^work +[1-9]\d* of \d+ contributions included/m);
    // Beyond npm's own lines and the prompt.
    expect(printed.get("generate")?.trim().length).toBeGreaterThan(100);
    expect(await readdir(join(clone, "my-model"))).toEqual(
      expect.arrayContaining(["model.safetensors", "config.json", "tokenizer.json"]),
    );
    for (const child of terminals) if (child.exitCode === null) await once(child, "exit");
    expect(terminals.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  },
);

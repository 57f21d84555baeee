/** A daemon's life on the command line, with a real node of the smallest preset that trains alone. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connectControl } from "../../../src/node/control/client.ts";
import type { NodeStatus } from "../../../src/node/status.ts";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const START = ["--data", "data", "--listen", "/ip4/127.0.0.1/tcp/0", "--no-mdns", "--no-dht", "--local"];

let dir: string;
let run: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "daemon-"));
  await writeFile(join(dir, "text.txt"), "Call me Ishmael. ".repeat(3000));
  run = (
    await starling("init", "--preset", "tiny", "--text", "text.txt", "--data", "data", "--rounds", "1")
  ).trim();
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

afterAll(async () => rm(dir, { recursive: true, force: true }));

/** The stdout of a command that must succeed. */
async function starling(...args: string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [MAIN, ...args], { cwd: dir })).stdout;
}

function spawnStart(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [MAIN, "start", "--run", "run.json", ...START, ...args], {
    cwd: dir,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  child.stderr?.resume();
  children.push(child);
  return child;
}

/** Once it listens; its stdout until then. */
async function listening(child: ChildProcess): Promise<string[]> {
  const lines: string[] = [];
  if (child.stdout === null) throw new Error("expected a pipe");
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.startsWith("address ")) return lines;
  }
  throw new Error(`the daemon ended before it listened, with ${child.exitCode}`);
}

/** Once it has logged this; throws when it ends without. */
async function logged(child: ChildProcess, text: string): Promise<void> {
  if (child.stderr === null) throw new Error("expected a pipe");
  for await (const chunk of child.stderr.iterator({ destroyOnReturn: false }))
    if (String(chunk).includes(text)) return void child.stderr.resume();
  throw new Error(`the daemon ended with ${child.exitCode} before it logged: ${text}`);
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

/** Asked over the socket; undefined when nobody runs on the folder. */
async function pidThatAnswers(): Promise<number | null | undefined> {
  return (await (await connectControl(join(dir, "data")))?.status())?.pid;
}

describe("F7: a daemon", () => {
  test("prints who and where it is, answers status, refuses a second one, and stops when told", async () => {
    const child = spawnStart();
    const [runLine, peerLine, dashboardLine, addressLine] = await listening(child);
    expect(runLine).toBe(`run ${run}`);
    const status = JSON.parse(await starling("status", "--data", "data", "--json")) as NodeStatus;
    expect(status).toMatchObject({ run, pid: child.pid });
    expect(peerLine).toBe(`peer ${status.peerId}`);
    expect(addressLine).toBe(`address ${status.addresses[0]}`);
    expect(dashboardLine).toBe(`dashboard ${status.dashboardUrl}`);
    const url = String(status.dashboardUrl);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(await (await fetch(url)).text()).toContain("<title>Starling</title>");
    expect(await (await fetch(`${url}metrics`)).text()).toMatch(/^libp2p_\w+ /m);

    await expect(starling("start", "--run", "run.json", ...START)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error DATA_DIR_IN_USE: expected/) as string,
    });
    expect(await pidThatAnswers()).toBe(child.pid);

    await starling("stop", "--data", "data");
    expect(await exitOf(child)).toBe(0);
    expect(await starling("status", "--data", "data")).toMatch(new RegExp(`${status.peerId} \\(not running`));
  });

  test("goes on when nobody reads what it prints", async () => {
    const child = spawnStart();
    child.stdout?.destroy();
    // What it says after it has printed, so after nobody was there to read.
    await logged(child, "training fits this host");
    expect(await pidThatAnswers()).toBe(child.pid);
    await starling("stop", "--data", "data");
    expect(await exitOf(child)).toBe(0);
  });

  test("Ctrl-C stops it cleanly, with 0", async () => {
    const child = spawnStart();
    await listening(child);
    child.kill("SIGINT");
    expect(await exitOf(child)).toBe(0);
    expect(await pidThatAnswers()).toBeUndefined();
  });

  test("starts again after SIGKILL, on the socket that was left behind; SIGTERM stops it with 0", async () => {
    const killed = spawnStart();
    await listening(killed);
    killed.kill("SIGKILL");
    await exitOf(killed);
    const child = spawnStart();
    await listening(child);
    expect(await pidThatAnswers()).toBe(child.pid);
    child.kill("SIGTERM");
    expect(await exitOf(child)).toBe(0);
  });

  test("stops when the process that started it is gone", async () => {
    const child = spawnStart();
    await listening(child);
    child.disconnect();
    expect(await exitOf(child)).toBe(0);
  });

  test("with --exit-when-finished ends with 0 when the run has, and its model can be exported", async () => {
    const child = spawnStart("--exit-when-finished");
    expect(await exitOf(child)).toBe(0);
    const files = (await starling("export", "--data", "data", "--out", "model")).trim().split("\n");
    expect(await readdir(join(dir, "model"))).toEqual(
      expect.arrayContaining(["config.json", "model.safetensors"]),
    );
    expect(files).toContainEqual(expect.stringContaining("model.safetensors"));
  });
});

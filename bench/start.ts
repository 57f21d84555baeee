/**
 * N8: how long `starling --help` takes, and how long it takes from `starling start` until the node can be reached and its page
 * is there. Wall time of processes of the built package, as its users start it (`npm run build` first).
 * `npm run bench:start`.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import Table from "cli-table3";
import { systemClock } from "../src/core/index.ts";

const STARLING = fileURLToPath(new URL("../bin/starling.js", import.meta.url));
const TIMES = 9;
const HELP_MS_MAX = 300;
const UP_MS_MAX = 5_000;

const dir = await mkdtemp(join(tmpdir(), "start-"));
const table = new Table({ head: ["what", "median", "best", "worst", "at most"] });
try {
  const help = await timed(() => promisify(execFile)(process.execPath, [STARLING, "--help"]));
  row("starling --help", help, HELP_MS_MAX);
  await writeFile(join(dir, "text.txt"), "Call me Ishmael. ".repeat(3000));
  const init = ["init", "--preset", "tiny", "--text", "text.txt", "--out", "run.json"];
  await promisify(execFile)(process.execPath, [STARLING, ...init], { cwd: dir });
  const start = ["start", "--run", "run.json", "--dashboard", "0"];
  row("starling start, DHT, mDNS, UPnP, page", await timed(() => up(start)), UP_MS_MAX);
  const quiet = [...start, "--local", "--no-dht", "--no-mdns", "--no-upnp"];
  row("starling start, on this machine alone", await timed(() => up(quiet)), UP_MS_MAX);
} finally {
  await rm(dir, { recursive: true, force: true });
}
process.stdout.write(`${TIMES} processes each, one after another\n${table.toString()}\n`);

/** Milliseconds, sorted; the first is not counted: it fills caches. */
async function timed(work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i <= TIMES; i++) {
    const startedMs = systemClock.nowMs();
    const after = await work();
    if (i > 0) times.push(systemClock.nowMs() - startedMs);
    if (after instanceof Function) await after();
  }
  return times.toSorted((a, b) => a - b);
}

/** Resolves once the node has said where it is; the answer ends it. */
async function up(args: readonly string[]): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [STARLING, ...args], {
    cwd: dir,
    stdio: ["ignore", "pipe", "ignore"],
  });
  let printed = "";
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    printed += String(chunk);
    if (/^address /m.test(printed)) return () => ended(child);
  }
  throw new Error(`expected a node that goes on, got ${printed}`);
}

async function ended(child: ChildProcess): Promise<void> {
  child.stdout?.resume();
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  await exit;
}

function row(what: string, times: readonly number[], boundMs: number): void {
  const ms = (at: number): string => `${(times.at(at) ?? NaN).toFixed(0)} ms`;
  table.push([what, ms(Math.floor(times.length / 2)), ms(0), ms(-1), `${boundMs} ms`]);
}

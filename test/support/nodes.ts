/** Real nodes in one process: their own data folders, real libp2p over TCP on loopback, real training. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ContributionGraph,
  NO_ACCOUNTS,
  type View,
  parseHeader,
  settledRoot,
} from "../../src/consensus/index.ts";
import { type Digest, type Logger, assert, silentLog } from "../../src/core/index.ts";
import {
  type InitOptions,
  type Manifest,
  type NodeOptions,
  type NodeStatus,
  type StarlingNode,
  createNode,
  initRun,
  runIdOf,
} from "../../src/node/index.ts";
import type { Recorder } from "../../src/node/round/loop.ts";
import { limitsOf, phaseOf } from "../../src/node/run/manifest.ts";
import { openStore } from "../../src/storage/index.ts";

export const DEADLINE_MS = 120_000;

/** A folder for one test file's nodes; `await using` stops the nodes and removes it. */
export class Flock implements AsyncDisposable {
  readonly dir: string;
  readonly manifest: Manifest;
  readonly nodes: StarlingNode[] = [];

  private constructor(dir: string, manifest: Manifest) {
    this.dir = dir;
    this.manifest = manifest;
  }

  /** A run of the tiny preset over a text; only node 0's folder holds the text. */
  static async create(o: {
    textPath: string;
    startPeers: number;
    rounds: number;
    change?: (manifest: Manifest) => Manifest;
    init?: Partial<InitOptions>;
  }): Promise<Flock> {
    const dir = await mkdtemp(join(tmpdir(), "starling-flock-"));
    const { textPath, startPeers, rounds } = o;
    const { manifest } = await initRun(
      { preset: "tiny", textPath, startPeers, rounds, ...o.init },
      { dataDir: join(dir, "0"), log: silentLog },
    );
    return new Flock(dir, o.change?.(manifest) ?? manifest);
  }

  dataDir(index: number): string {
    return join(this.dir, String(index));
  }

  /** Node 0 gets the manifest; the others only its address and the run's CID. */
  async start(
    index: number,
    o: {
      log?: Logger;
      recorder?: Recorder;
      bootstrap?: readonly string[];
      use?: NodeOptions["use"];
      run?: Manifest;
      engine?: NodeOptions["engine"];
      device?: string;
      devices?: NodeOptions["devices"];
      cheat?: NodeOptions["cheat"];
      role?: NodeOptions["role"];
      listed?: boolean;
    } = {},
  ): Promise<StarlingNode> {
    const bootstrap = index === 0 ? [] : (this.nodes[0]?.status().addresses ?? []);
    const node = await createNode(
      {
        dataDir: this.dataDir(index),
        run: o.run ?? (index === 0 ? this.manifest : runIdOf(this.manifest)),
        listen: ["/ip4/127.0.0.1/tcp/0"],
        announce: [],
        bootstrap: o.bootstrap ?? bootstrap,
        engine: o.engine ?? "cpu",
        device: o.device,
        devices: o.devices,
        threads: 1,
        dht: true,
        mdns: false,
        localAddresses: true,
        ...(o.use && { use: o.use }),
        ...(o.cheat && { cheat: o.cheat }),
        ...(o.role && { role: o.role }),
        ...(o.listed && { listed: true }),
      },
      { log: o.log ?? silentLog, ...(o.recorder && { recorder: o.recorder }) },
    );
    this.nodes[index] = node;
    await node.start();
    return node;
  }

  /**
   * Two nodes with the manifest and the text on their disks that know only each other: the first of them is the
   * other's only address.
   */
  async startApart(
    indices: readonly [number, number],
    logOf: (index: number) => Logger,
  ): Promise<StarlingNode[]> {
    const [first, second] = indices;
    for (const index of indices)
      await cp(join(this.dataDir(0), "blocks"), join(this.dataDir(index), "blocks"), { recursive: true });
    const one = await this.start(first, { log: logOf(first), bootstrap: [] });
    const other = await this.start(second, { log: logOf(second), bootstrap: one.status().addresses });
    return [one, other];
  }

  async startAll(count: number): Promise<StarlingNode[]> {
    for (let i = 0; i < count; i++) await this.start(i);
    return this.nodes.slice(0, count);
  }

  /** History as one node's own last contribution sees it, rebuilt from the headers on its disk. The node is stopped. */
  async history(index: number): Promise<{ view: View; graph: ContributionGraph }> {
    const self = this.nodes[index]?.peerId;
    assert(self !== undefined, `node ${index} was started`);
    const store = await openStore(this.dataDir(index), { log: silentLog });
    try {
      const headers = [];
      for await (const bytes of store.contributions.all(0)) {
        const parsed = parseHeader(bytes);
        assert(parsed.kind === "accept", "what is on disk was accepted");
        headers.push(parsed.value);
      }
      const startRoot = headers[0]?.header.start as Digest;
      const run = runIdOf(this.manifest);
      const graph = new ContributionGraph({
        run,
        phase: 0,
        rule: phaseOf(this.manifest, 0).rule,
        founders: this.manifest.founders,
        limits: limitsOf(this.manifest, 0),
        startRoot,
        startSettled: settledRoot({ run, phase: 0, round: 0, weightsRoot: startRoot, accounts: NO_ACCOUNTS }),
        // Whoever starts with an empty state says so in its first header.
        zeroState: headers[0]?.header.work.stateBefore as Digest,
      });
      for (const { id, header } of headers) graph.add(id, header);
      const last = graph.of(self).at(-1);
      assert(last !== undefined, "the node has published");
      return { view: last.view, graph };
    } finally {
      await store.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** Resolves with the first status that fits; rejects when the node fails or at the deadline. */
export function until(
  node: StarlingNode,
  fits: (status: NodeStatus) => boolean,
  what: string,
): Promise<NodeStatus> {
  return new Promise((resolve, reject) => {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    const look = (): void => {
      const status = node.status();
      if (fits(status)) end(() => resolve(status));
    };
    const end = (settle: () => void): void => {
      stopListening();
      deadline.removeEventListener("abort", onDeadline);
      settle();
    };
    const onDeadline = (): void =>
      end(() =>
        reject(new Error(`expected ${what}, got ${JSON.stringify({ ...node.status(), curve: [] })}`)),
      );
    const stopListening = node.onChange(look);
    deadline.addEventListener("abort", onDeadline);
    node.finished.catch((error: unknown) => end(() => reject(error)));
    look();
  });
}

export async function settledRoots(nodes: readonly StarlingNode[]): Promise<Set<string>> {
  const settled = await Promise.all(
    nodes.map((node) => until(node, ({ state }) => state === "finished", "a finished run")),
  );
  return new Set(settled.map((status) => `${status.settled?.round} ${status.settled?.root}`));
}

/**
 * A flock in one process, for tests of programs that embed a node: real nodes with real keys, that speak libp2p over
 * loopback and train the smallest preset. They find each other by address alone, so flocks do not disturb each other.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, silentLog } from "../../core/index.ts";
import type { Documents } from "../data/given-documents.ts";
import type { Evaluate } from "../model/evaluations.ts";
import { initRun } from "../run/init.ts";
import { type Manifest, runIdOf } from "../run/manifest.ts";
import { createNode } from "../node.ts";
import type { StarlingNode } from "../starling-node.ts";

export interface TestFlockOptions {
  /** How many nodes round 0 waits for, and as many are started. */
  readonly nodes: number;
  /** Rounds of training; the rounds that settle them come on top. */
  readonly rounds: number;
  /** What they learn. Default: one sentence, often. */
  readonly documents?: Documents;
  /** A tokenizer.json. Default: bytes. */
  readonly tokenizerFile?: Uint8Array;
  readonly log?: Logger;
}

export interface TestNodeOptions {
  readonly evaluate?: Evaluate;
}

export interface TestFlock {
  readonly manifest: Manifest;
  /** In the order in which they started. The first has the data, the others pull it. */
  readonly nodes: readonly StarlingNode[];
  /** Starts one more, which joins by the first one's address. */
  add(o?: TestNodeOptions): Promise<StarlingNode>;
  /** Stops all nodes and removes their folders. */
  stop(): Promise<void>;
}

/** Enough for a context of the smallest preset, many times over. */
const SENTENCE = "A murmuration has no lead bird, each follows a few neighbours. ";
const SENTENCES = 1000;

export async function startTestFlock(options: TestFlockOptions): Promise<TestFlock> {
  const dir = await mkdtemp(join(tmpdir(), "starling-test-"));
  const flock = new Flock(dir, options);
  try {
    await flock.start();
  } catch (error) {
    // Nothing is left behind of a flock that nobody gets.
    await flock.stop();
    throw error;
  }
  return flock;
}

class Flock implements TestFlock {
  readonly nodes: StarlingNode[] = [];
  readonly #dir: string;
  readonly #options: TestFlockOptions;
  #manifest: Manifest | undefined;

  constructor(dir: string, options: TestFlockOptions) {
    this.#dir = dir;
    this.#options = options;
  }

  get manifest(): Manifest {
    return this.#manifest as Manifest;
  }

  async start(): Promise<void> {
    const { nodes, rounds, documents, tokenizerFile } = this.#options;
    const { manifest } = await initRun(
      {
        preset: "tiny",
        documents: documents ?? [SENTENCE.repeat(SENTENCES)],
        rounds,
        startPeers: nodes,
        ...(tokenizerFile && { tokenizerFile }),
      },
      { dataDir: this.#dataDir(0) },
    );
    this.#manifest = manifest;
    for (let i = 0; i < nodes; i++) await this.add();
  }

  async add(o: TestNodeOptions = {}): Promise<StarlingNode> {
    const [first] = this.nodes;
    const node = await createNode(
      {
        dataDir: this.#dataDir(this.nodes.length),
        run: first === undefined ? this.manifest : runIdOf(this.manifest),
        bootstrap: first?.status().addresses ?? [],
        listen: ["/ip4/127.0.0.1/tcp/0"],
        engine: "cpu",
        threads: 1,
        dht: false,
        mdns: false,
        localAddresses: true,
      },
      { log: this.#options.log ?? silentLog, ...o },
    );
    this.nodes.push(node);
    await node.start();
    return node;
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await rm(this.#dir, { recursive: true, force: true });
  }

  #dataDir(index: number): string {
    return join(this.#dir, String(index));
  }
}

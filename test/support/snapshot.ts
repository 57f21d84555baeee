/** A node's snapshot, and a source of them that a test can change, for what only shows them. */
import type { Snapshot, SnapshotSource } from "../../src/dashboard/index.ts";

/** Peer ids that end in the given letters. */
export function peerNamed(end: string): string {
  return `12D3KooW${"Q".repeat(44 - end.length)}${end}`;
}

const SELF = peerNamed("SeLf11");
const ADA = peerNamed("Ada111");
const BOB = peerNamed("Bob111");

export function aSnapshot(overrides: Partial<Snapshot> = {}): Snapshot {
  return {
    nowMs: 100_000,
    node: {
      peerId: SELF,
      version: "0.1.0",
      run: "bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy",
      runName: "whale",
      state: "training",
      pausedWhy: null,
      engine: "cpu",
      devicesCount: 2,
      parametersCount: 1_049_088,
      addresses: ["/ip4/127.0.0.1/tcp/4001"],
    },
    round: 12,
    phase: 0,
    settled: { round: 4, root: "1f3a77c0".padEnd(64, "0") },
    loss: { trainingNats: 2.314, validationNats: 2.5, validationFirstNats: 5.545 },
    training: { round: [0, 1, 2], tokens: [1000, 2000, 3000], lossNats: [5, 4, 3] },
    validation: { round: [0, 1, 2], tokens: [0, 1000, 2000], lossNats: [5.545, 4.5, 3.5] },
    rounds: [aRound(11, 90_000), { ...aRound(12, 96_000), endedMs: null }],
    contributions: [
      aContribution({ id: "c3", author: SELF, round: 12, fate: "arriving" }),
      aContribution({ id: "c2", author: ADA, round: 11, fate: "included" }),
      aContribution({ id: "c1", author: BOB, round: 10, fate: "excluded", why: "equivocation" }),
    ],
    gates: { judged: 33, refused: 2, judgingSeconds: 0.4 },
    own: { published: 12, included: 11 },
    mesh: {
      peers: [
        aPeer(ADA, { neighbour: true, weightShare: 0.5 }),
        aPeer(BOB, { connected: false, address: null, pingMs: null }),
      ],
      citations: [
        [0, 1],
        [-1, 0],
      ],
    },
    phases: [
      { phase: 0, parametersCount: 1_049_088, tokensBudget: 4000, tokensDone: 3000 },
      { phase: 1, parametersCount: 4_200_000, tokensBudget: 9000, tokensDone: 0 },
    ],
    ranking: [
      { peerId: ADA, weightShare: 0.5, contributions: 4, tokens: 1500, credits: "1500" },
      { peerId: SELF, weightShare: 0.5, contributions: 4, tokens: 1500, credits: "1500" },
    ],
    host: {
      tokensPerSecond: 9120,
      trainingShare: 0.7,
      trainingSeconds: 61.5,
      cpuShare: 0.9,
      coresCount: 2,
      memoryBytes: 412_000_000,
      memoryTotalBytes: 8_000_000_000,
      diskBytes: 31_000_000,
      diskFreeBytes: 70_000_000_000,
      bytesIn: 12_345_678,
      bytesOut: 4_100_000,
      eventLoopDelayP99Ms: 11.5,
    },
    samples: {
      atMs: [90_000, 95_000],
      tokensPerSecond: [null, 9120],
      cpuShare: [null, 0.9],
      memoryBytes: [400_000_000, 412_000_000],
      inBytesPerSecond: [null, 120_000],
      outBytesPerSecond: [null, 90_000],
    },
    ...overrides,
  };
}

function aRound(round: number, startedMs: number): Snapshot["rounds"][number] {
  const parts = { waitMs: 100, foldMs: 200, trainMs: 4000, publishMs: 100, collectMs: 600 };
  return { round, startedMs, endedMs: startedMs + 5000, ...parts };
}

export function aContribution(
  o: Pick<Snapshot["contributions"][number], "id" | "author" | "round" | "fate"> & { why?: string },
): Snapshot["contributions"][number] {
  return { steps: 10, tokens: 500, lossNats: 2.4, deltaBytes: 530_000, why: null, ...o };
}

function aPeer(
  peerId: string,
  o: Partial<Snapshot["mesh"]["peers"][number]>,
): Snapshot["mesh"]["peers"][number] {
  const address = "/ip4/203.0.113.7/tcp/4001";
  return {
    peerId,
    connected: true,
    neighbour: false,
    address,
    inbound: true,
    pingMs: 12,
    round: 11,
    weightShare: 0,
    ...o,
  };
}

/** A source whose snapshot a test sets. */
export class ChangingSource implements SnapshotSource {
  #snapshot: Snapshot;
  readonly #listeners = new Set<() => void>();

  constructor(snapshot: Snapshot = aSnapshot()) {
    this.#snapshot = snapshot;
  }

  snapshot(): Snapshot {
    return this.#snapshot;
  }

  set(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listenersCount(): number {
    return this.#listeners.size;
  }
}

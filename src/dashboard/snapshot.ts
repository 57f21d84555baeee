/**
 * What the dashboard shows, as data: one object that the node makes and the page draws. Everything in it is bounded.
 * It imports nothing, so that the page, which runs in a browser, is checked against the same types.
 *
 * Times are milliseconds of the node's own clock, whose zero means nothing: compare them with `nowMs`.
 */

/** A source of snapshots; the node is one. */
export interface SnapshotSource {
  snapshot(): Snapshot;
  /** Calls the listener when the snapshot may have changed; the answer takes it off again. */
  onChange(listener: () => void): () => void;
}

export interface Snapshot {
  readonly nowMs: number;
  readonly node: NodeFacts;
  readonly round: number;
  readonly phase: number;
  readonly settled: { readonly round: number; readonly root: string } | null;
  readonly loss: {
    /** Of the node's own last step. */
    readonly trainingNats: number | null;
    /** Of the weights that the round started from, on held-out text. */
    readonly validationNats: number | null;
    readonly validationFirstNats: number | null;
  };
  readonly training: Curve;
  readonly validation: Curve;
  /** Oldest first. */
  readonly rounds: readonly RoundSpan[];
  /** Newest first. */
  readonly contributions: readonly ContributionRow[];
  readonly own: { readonly published: number; readonly included: number };
  /** What the node's gates did since it started: contributions looked at, and those of them not worth citing. */
  readonly gates: { readonly judged: number; readonly refused: number; readonly judgingSeconds: number };
  readonly mesh: Mesh;
  readonly phases: readonly PhaseStep[];
  /** Most voting weight first. */
  readonly ranking: readonly RankRow[];
  readonly host: HostFacts;
  readonly samples: Samples;
}

export interface NodeFacts {
  readonly peerId: string;
  readonly version: string;
  readonly run: string;
  readonly runName: string;
  readonly state: string;
  /** Why it does not train just now; null when nothing keeps it. */
  readonly pausedWhy: string | null;
  readonly engine: string;
  /** How many devices trained its last round together; null before the first. */
  readonly devicesCount: number | null;
  readonly parametersCount: number;
  readonly addresses: readonly string[];
}

/** Columns of equal length. */
export interface Curve {
  readonly round: readonly number[];
  /** Included tokens of the whole flock until then. */
  readonly tokens: readonly number[];
  readonly lossNats: readonly number[];
}

/** How long a round took the node, by what it was doing. */
export interface RoundSpan {
  readonly round: number;
  readonly startedMs: number;
  /** Null while the round goes on. */
  readonly endedMs: number | null;
  readonly waitMs: number;
  readonly foldMs: number;
  readonly trainMs: number;
  readonly publishMs: number;
  readonly collectMs: number;
}

/**
 * `arriving`: of the round in work; `included`: history holds it, but later citations may still change that;
 * `settled`: it does for good; `excluded`: it does not.
 */
export type Fate = "arriving" | "included" | "settled" | "excluded";

export interface ContributionRow {
  readonly id: string;
  readonly author: string;
  readonly round: number;
  /** 0 steps: it only cites. */
  readonly steps: number;
  readonly tokens: number;
  readonly lossNats: number | null;
  readonly deltaBytes: number;
  readonly fate: Fate;
  /** Of an excluded one. */
  readonly why: string | null;
}

export interface Mesh {
  /** Others that are connected, or that have published lately. */
  readonly peers: readonly MeshPeer[];
  /** Who cited whom in the newest full round, as indices into `peers`; -1 is the node itself. */
  readonly citations: readonly (readonly [from: number, to: number])[];
}

export interface MeshPeer {
  readonly peerId: string;
  readonly connected: boolean;
  /** Gossip is exchanged with it directly. */
  readonly neighbour: boolean;
  readonly address: string | null;
  readonly inbound: boolean;
  readonly pingMs: number | null;
  /** The newest round that it has published in; null: none lately. */
  readonly round: number | null;
  /** Its share of all voting weight, 0..1. */
  readonly weightShare: number;
}

/** One rung of the ladder. */
export interface PhaseStep {
  readonly phase: number;
  readonly parametersCount: number;
  readonly tokensBudget: number;
  readonly tokensDone: number;
}

export interface RankRow {
  readonly peerId: string;
  readonly weightShare: number;
  /** Settled contributions with work in them. */
  readonly contributions: number;
  readonly tokens: number;
  /** A whole number in decimal; null in a run that mints none. */
  readonly credits: string | null;
}

export interface HostFacts {
  readonly tokensPerSecond: number | null;
  /** Share of the last rounds' time that went into training, 0..1. */
  readonly trainingShare: number | null;
  readonly trainingSeconds: number;
  /** Of all cores, by this process, 0..1. */
  readonly cpuShare: number | null;
  readonly coresCount: number;
  readonly memoryBytes: number;
  readonly memoryTotalBytes: number;
  /** Of the data folder; null before it was measured. */
  readonly diskBytes: number | null;
  readonly diskFreeBytes: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly eventLoopDelayP99Ms: number | null;
}

/** Columns of equal length, oldest first. */
export interface Samples {
  readonly atMs: readonly number[];
  readonly tokensPerSecond: readonly (number | null)[];
  readonly cpuShare: readonly (number | null)[];
  readonly memoryBytes: readonly number[];
  readonly inBytesPerSecond: readonly (number | null)[];
  readonly outBytesPerSecond: readonly (number | null)[];
}

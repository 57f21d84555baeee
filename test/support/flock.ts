/**
 * A seeded flock in virtual time: N real machines on a network that delays, loses, doubles, reorders and parts. Loss is
 * repaired as in the real node: missing parents are asked for, and every so often a node asks one peer for all it
 * lacks. Two runs with one seed have byte-identical transcripts.
 */
import { createHash } from "node:crypto";
import { CHUNK_LENGTH, deltaBytesMax } from "../../src/codec/index.ts";
import type { PhaseLimits, Rule } from "../../src/consensus/index.ts";
import { type ContributionId, type Digest, type PeerId, SeededRandom, assert } from "../../src/core/index.ts";
import { Agenda } from "./agenda.ts";
import { FlockNode, type Parcel, type Training } from "./flock-node.ts";
import { peerOf, runOf } from "./run-of.ts";

export interface FlockOptions {
  readonly seed: string;
  readonly nodesCount: number;
  readonly rule?: Partial<Rule>;
  readonly limits?: Partial<PhaseLimits>;
  readonly training?: Partial<Training>;
  readonly foundersCount?: number;
  /** How much slower than the others a node trains. */
  readonly slowness?: (node: number) => number;
  readonly latencyMs?: { readonly min: number; readonly max: number };
  readonly lossShare?: number;
  readonly duplicateShare?: number;
  /** What every message about an author's contribution takes longer on its way to a node. */
  readonly lagMs?: (author: number, to: number) => number;
  readonly syncIntervalMs?: number;
  /** Nodes that do not start at once; start them with `join`. */
  readonly late?: readonly number[];
}

const TRAINING: Training = {
  lengths: [40, 24],
  codec: [{ fromTokens: 0, keepPerChunk: CHUNK_LENGTH / 2, valueBits: 4 }],
  stepsPerRound: 50,
  stepMs: 200,
};

export class Flock {
  readonly nodes: readonly FlockNode[];
  readonly agenda: Agenda = new Agenda();
  readonly #options: FlockOptions;
  readonly #random: SeededRandom;
  readonly #transcript = createHash("sha256");
  /** Group of each node; messages stay within groups. */
  #groups: readonly number[];

  constructor(options: FlockOptions) {
    const { seed, nodesCount } = options;
    this.#options = options;
    this.#random = new SeededRandom(`${seed}/network`);
    const training = { ...TRAINING, ...options.training };
    const indices = Array.from({ length: nodesCount }, (_, index) => index);
    this.#groups = indices.map(() => 0);
    const run = runOf({
      seed,
      rule: { startPeers: nodesCount - (options.late?.length ?? 0), ...options.rule },
      limits: {
        deltaBytesMax: Math.max(...training.codec.map((stage) => deltaBytesMax(training.lengths, stage))),
        ...options.limits,
      },
      founders: indices.slice(0, options.foundersCount ?? 0).map((index) => peerOf(`${seed}/${index}`)),
      start: new Int32Array(training.lengths.reduce((a, b) => a + b, 0)),
    });
    this.nodes = indices.map(
      (index) =>
        new FlockNode({
          index,
          seed,
          run,
          training,
          agenda: this.agenda,
          slowness: options.slowness?.(index) ?? 1,
          broadcast: (node, parcel) => this.#broadcast(node, parcel),
          want: (node, ids) => this.#want(node, ids),
          pull: (node, id) => this.#pull(node, id),
          note: (line) => void this.#transcript.update(`${this.agenda.nowMs} ${line}\n`),
        }),
    );
    for (const index of indices) {
      if (!options.late?.includes(index)) this.nodes[index].start();
      this.#syncForEver(this.nodes[index]);
    }
  }

  get up(): readonly FlockNode[] {
    return this.nodes.filter((node) => node.isUp);
  }

  /** Starts a node late or again, with what some peer has seen, as the real node syncs before it begins. */
  join(index: number): void {
    const node = this.nodes[index];
    const peers = this.up.filter((peer) => this.#groups[peer.index] === this.#groups[index]);
    if (peers.length > 0) node.copyFrom(peers[this.#random.below(peers.length)]);
    node.start();
  }

  crash(index: number): void {
    this.nodes[index].crash();
  }

  /** `part([0, 0, 1, 1])` keeps two and two apart; `part()` heals. */
  part(groups: readonly number[] = this.nodes.map(() => 0)): void {
    this.#groups = groups;
  }

  /** Runs until `done`; throws when it is not done in `limitMs` of virtual time. */
  until(done: () => boolean, limitMs = 3_600_000): void {
    const endMs = this.agenda.nowMs + limitMs;
    while (!done()) {
      const isLate = !this.agenda.step() || this.agenda.nowMs > endMs;
      assert(!isLate, `seed ${this.#options.seed}: not done in ${limitMs} ms; ${this.#state()}`);
    }
  }

  untilRound(round: number, nodes: readonly FlockNode[] = this.up): void {
    this.until(() => nodes.every(({ machine }) => machine.round >= round));
  }

  untilFinished(): void {
    this.until(() => this.up.every(({ finishedRound }) => finishedRound !== undefined));
  }

  /** The hash of all that happened, with its times. */
  transcript(): string {
    return this.#transcript.copy().digest("hex");
  }

  /** Every round that some node settled, with the roots that it settled on: one each, or the flock is split. */
  settledRoots(): Map<number, Set<Digest>> {
    const roots = new Map<number, Set<Digest>>();
    for (const { settled } of this.nodes) {
      for (const [round, root] of settled) roots.set(round, (roots.get(round) ?? new Set()).add(root));
    }
    return roots;
  }

  peer(index: number): PeerId {
    return this.nodes[index].peer;
  }

  #state(): string {
    return this.nodes
      .map(({ machine, isUp }) => `${isUp ? machine.stage : "down"} ${machine.round}`)
      .join(", ");
  }

  #reaches(from: FlockNode, to: FlockNode): boolean {
    return from !== to && from.isUp && to.isUp && this.#groups[from.index] === this.#groups[to.index];
  }

  #broadcast(from: FlockNode, parcel: Parcel): void {
    for (const to of this.nodes) {
      if (!this.#reaches(from, to)) continue;
      if (!this.#happens(this.#options.lossShare)) this.#deliver(to, parcel);
      if (this.#happens(this.#options.duplicateShare)) this.#deliver(to, parcel);
    }
  }

  #deliver(to: FlockNode, parcel: Parcel): void {
    this.agenda.in(this.#delayMs(to, parcel), () => {
      if (to.isUp) to.takeHeader(parcel);
    });
  }

  #want(node: FlockNode, ids: readonly ContributionId[]): void {
    for (const id of ids) {
      const parcel = this.#holderOf(node, ({ seen }) => seen.has(id))?.seen.get(id);
      if (parcel && !this.#happens(this.#options.lossShare)) this.#deliver(node, parcel);
    }
  }

  #pull(node: FlockNode, id: ContributionId): void {
    const parcel = this.#holderOf(node, ({ held }) => held.has(id))?.seen.get(id);
    if (parcel === undefined || this.#happens(this.#options.lossShare)) return;
    this.agenda.in(this.#delayMs(node, parcel), () => {
      if (node.isUp) node.takeBody(parcel);
    });
  }

  /** Once an interval: what one peer has seen and we have not, and the bodies that we still lack. */
  #syncForEver(node: FlockNode): void {
    const intervalMs = this.#options.syncIntervalMs ?? 2000;
    this.agenda.in(intervalMs * (0.5 + this.#random.unit()), () => {
      const peers = this.nodes.filter((peer) => this.#reaches(peer, node));
      if (peers.length > 0) this.#sync(node, peers[this.#random.below(peers.length)]);
      this.#syncForEver(node);
    });
  }

  #sync(node: FlockNode, peer: FlockNode): void {
    for (const [id, parcel] of peer.seen) if (!node.seen.has(id)) this.#deliver(node, parcel);
    for (const [id, { body }] of node.seen) if (body !== null && !node.held.has(id)) this.#pull(node, id);
  }

  #holderOf(node: FlockNode, has: (peer: FlockNode) => boolean): FlockNode | undefined {
    const holders = this.nodes.filter((peer) => this.#reaches(peer, node) && has(peer));
    return holders.length === 0 ? undefined : holders[this.#random.below(holders.length)];
  }

  #delayMs(to: FlockNode, parcel: Parcel): number {
    const { min, max } = this.#options.latencyMs ?? { min: 20, max: 200 };
    return min + (max - min) * this.#random.unit() + (this.#options.lagMs?.(parcel.author, to.index) ?? 0);
  }

  #happens(share = 0): boolean {
    return share > 0 && this.#random.unit() < share;
  }
}

/**
 * A seeded flock in virtual time: N real machines on a bad network, some of them hostile. Two runs with one seed have
 * byte-identical transcripts.
 */
import { createHash } from "node:crypto";
import { CHUNK_LENGTH, type CodecSchedule, deltaBytesMax } from "../../src/codec/index.ts";
import { type Base, Commons, type PhaseLimits, type Rule, type View } from "../../src/consensus/index.ts";
import { type Digest, type PeerId, SeededRandom, StarlingError } from "../../src/core/index.ts";
import { Agenda } from "./agenda.ts";
import { Attendance } from "./attendance.ts";
import { FlockNode } from "./flock-node.ts";
import { Folded } from "./fold-tree.ts";
import { Network, type NetworkConditions } from "./network.ts";
import type { Shape } from "./parcel.ts";
import { peerOf, runOf } from "./run-of.ts";
import type { Strategy } from "./strategy.ts";
import type { Pace } from "./training.ts";

export interface FlockOptions extends Partial<NetworkConditions> {
  readonly seed: string;
  readonly nodesCount: number;
  readonly rule?: Partial<Rule>;
  readonly limits?: Partial<PhaseLimits>;
  readonly pace?: Partial<Pace>;
  readonly shape?: Partial<Shape>;
  readonly foundersCount?: number;
  /** How much slower than the others a node trains. */
  readonly slowness?: (node: number) => number;
  /** Nodes that do not start at once; start them with `join`. */
  readonly late?: readonly number[];
  /** What a node does that is not honest. */
  readonly strategy?: (node: number) => Strategy | undefined;
  /** A node has entered a round and folds for it. */
  readonly onRound?: (node: FlockNode, view: View) => void;
}

const LENGTHS: readonly number[] = [40, 24];
const CODEC: CodecSchedule = [{ fromTokens: 0, keepPerChunk: CHUNK_LENGTH / 2, valueBits: 4 }];
const PACE: Pace = { stepsPerRound: 50, stepMs: 200 };
const CONDITIONS: NetworkConditions = {
  latencyMs: { min: 20, max: 200 },
  lossShare: 0,
  duplicateShare: 0,
  lagMs: () => 0,
  syncIntervalMs: 2000,
};
/** Virtual time in which whatever is waited for must come. */
const LIMIT_MS = 3_600_000;

export class Flock {
  readonly nodes: readonly FlockNode[];
  readonly agenda: Agenda = new Agenda();
  readonly network: Network;
  readonly random: SeededRandom;
  readonly attendance: Attendance = new Attendance();
  readonly #options: FlockOptions;
  readonly #transcript = createHash("sha256");

  constructor(options: FlockOptions) {
    const { seed, nodesCount } = options;
    this.#options = options;
    this.random = new SeededRandom(`${seed}/scenario`);
    const random = new SeededRandom(`${seed}/network`);
    this.network = new Network({ ...CONDITIONS, ...options }, this.agenda, random);
    this.nodes = this.#makeNodes();
    this.network.nodes.push(...this.nodes);
    for (let index = 0; index < nodesCount; index++) {
      if (!options.late?.includes(index)) this.#start(this.nodes[index]);
      this.network.syncForEver(this.nodes[index]);
    }
  }

  get honest(): readonly FlockNode[] {
    return this.nodes.filter(({ strategy }) => strategy === undefined);
  }

  /** Honest nodes that run. */
  get up(): readonly FlockNode[] {
    return this.honest.filter((node) => node.isUp);
  }

  /** Starts a node late or again, with what some peer has seen, as the real node syncs before it begins. */
  join(index: number): void {
    const node = this.nodes[index];
    const peers = this.up.filter(
      (peer) => this.network.groupOf(peer.index) === this.network.groupOf(node.index),
    );
    this.#start(node, peers.length > 0 ? peers[this.random.below(peers.length)] : undefined);
  }

  #start(node: FlockNode, peer?: FlockNode): void {
    node.start(peer);
    this.#attend();
  }

  crash(index: number): void {
    this.nodes[index].crash();
    this.#attend();
  }

  /** `part([0, 0, 1, 1])` keeps two and two apart; `part()` heals. */
  part(groups?: readonly number[]): void {
    this.network.part(groups);
    this.#attend();
  }

  /** The honest nodes that run and are connected to more than half of the honest nodes. */
  get majority(): readonly FlockNode[] {
    const { up } = this;
    const sizes = new Map<number, number>();
    for (const { index } of up) {
      const group = this.network.groupOf(index);
      sizes.set(group, (sizes.get(group) ?? 0) + 1);
    }
    return up.filter(({ index }) => 2 * (sizes.get(this.network.groupOf(index)) ?? 0) > up.length);
  }

  #attend(): void {
    this.attendance.take(this.honest, new Set(this.majority));
  }

  /** Runs until `done`; throws `FLOCK_STALLED` when it is not done in `limitMs` of virtual time. */
  until(done: () => boolean, limitMs: number = LIMIT_MS): void {
    const endMs = this.agenda.nowMs + limitMs;
    while (!done()) {
      if (this.agenda.step() && this.agenda.nowMs <= endMs) continue;
      throw new StarlingError(
        "FLOCK_STALLED",
        `seed ${this.#options.seed}: expected it to be done in ${limitMs} ms of virtual time; ${this.#state()}`,
      );
    }
  }

  untilRound(round: number, nodes: readonly FlockNode[] = this.up): void {
    this.until(() => nodes.every(({ machine, isUp }) => !isUp || machine.round >= round));
  }

  untilFinished(): void {
    this.until(() => this.up.every(({ finishedRound }) => finishedRound !== undefined));
  }

  /** The hash of all that happened, with its times. */
  transcript(): string {
    return this.#transcript.copy().digest("hex");
  }

  /** Every round that some honest node settled, with the roots that it settled on: one each, or the flock is split. */
  settledRoots(): Map<number, Set<Digest>> {
    const roots = new Map<number, Set<Digest>>();
    for (const { settled } of this.honest) {
      for (const [round, root] of settled) roots.set(round, (roots.get(round) ?? new Set()).add(root));
    }
    return roots;
  }

  peer(index: number): PeerId {
    return this.nodes[index].peer;
  }

  #makeNodes(): FlockNode[] {
    const { seed, nodesCount, rule, limits, onRound, ...options } = this.#options;
    const indices = Array.from({ length: nodesCount }, (_, index) => index);
    const shape: Shape = { lengths: LENGTHS, codec: CODEC, ...options.shape };
    const weights = new Int32Array(shape.lengths.reduce((a, b) => a + b, 0));
    const deltaBytesMost = Math.max(...shape.codec.map((stage) => deltaBytesMax(shape.lengths, stage)));
    const phase = runOf({
      seed,
      rule: { startPeers: nodesCount - (options.late?.length ?? 0), ...rule },
      limits: { deltaBytesMax: deltaBytesMost, ...limits },
      founders: indices.slice(0, options.foundersCount ?? 0).map((index) => peerOf(`${seed}/${index}`)),
      start: weights,
    });
    const known = new Map<Digest, Commons>();
    const commonsOf = (base: Base | undefined): Commons => {
      const root = base?.root ?? phase.startSettled;
      const commons = known.get(root) ?? new Commons({ ...phase, base });
      known.set(root, commons);
      return commons;
    };
    const start = new Folded(weights);
    const pace = { ...PACE, ...options.pace };
    return indices.map(
      (index) =>
        new FlockNode({
          index,
          seed,
          run: phase,
          commonsOf,
          shape,
          pace: { ...pace, stepMs: pace.stepMs * (options.slowness?.(index) ?? 1) },
          start,
          agenda: this.agenda,
          network: this.network,
          strategy: options.strategy?.(index),
          note: (line) => void this.#transcript.update(`${this.agenda.nowMs} ${line}\n`),
          onRound,
        }),
    );
  }

  #state(): string {
    return this.nodes
      .map(({ machine, isUp }) => `${isUp ? machine.stage : "down"} ${machine.round}`)
      .join(", ");
  }
}

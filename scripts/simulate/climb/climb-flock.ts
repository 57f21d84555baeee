/**
 * A seeded flock that climbs a ladder in virtual time: real machines in every phase, each phase with a network of its own,
 * as each has its topics. What a phase grows into is made up: small weights drawn from the root of the phase below.
 */
import { CHUNK_LENGTH, type CodecSchedule, deltaBytesMax } from "../../../src/codec/index.ts";
import { Commons, type Rule } from "../../../src/consensus/index.ts";
import { type Digest, SeededRandom, StarlingError, bytesOf, rootOfBytes } from "../../../src/core/index.ts";
import type { Ascent } from "../../../src/node/climb/ascent.ts";
import { Agenda } from "../agenda.ts";
import { FlockNode } from "../flock-node.ts";
import { Folded } from "../fold-tree.ts";
import { Network, type NetworkConditions } from "../network.ts";
import type { Shape } from "../parcel.ts";
import { runOf } from "../run-of.ts";
import { Climber } from "./climber.ts";
import type { Rung } from "./ladder.ts";

export interface ClimbOptions extends Partial<NetworkConditions> {
  readonly seed: string;
  readonly nodesCount: number;
  readonly rungs: readonly Rung[];
  readonly rule?: Partial<Rule>;
  /** How much slower than the others a node trains. */
  readonly slowness?: (node: number) => number;
  /** Nodes that start later, with `climbers[i].start()`. */
  readonly late?: readonly number[];
}

const LENGTHS: readonly number[] = [40, 24];
const CODEC: CodecSchedule = [{ fromTokens: 0, keepPerChunk: CHUNK_LENGTH / 2, valueBits: 4 }];
const SHAPE: Shape = { lengths: LENGTHS, codec: CODEC };
const PACE = { stepsPerRound: 50, stepMs: 200 };
const CONDITIONS: NetworkConditions = {
  latencyMs: { min: 20, max: 200 },
  lossShare: 0,
  duplicateShare: 0,
  lagMs: () => 0,
  syncIntervalMs: 2000,
};
/** Virtual time in which whatever is waited for must come. */
const LIMIT_MS = 4 * 3_600_000;

/** What all who start a phase alike share. */
interface PhaseStart {
  readonly folded: Folded;
  readonly commons: Commons;
  readonly run: FlockNode["options"]["run"];
}

export class ClimbFlock {
  readonly climbers: readonly Climber[];
  readonly agenda: Agenda = new Agenda();
  readonly random: SeededRandom;
  readonly #options: ClimbOptions;
  readonly #networks: readonly Network[];
  /** By phase and the root that it starts from. */
  readonly #starts = new Map<string, PhaseStart>();

  constructor(options: ClimbOptions) {
    const { seed, nodesCount, rungs, late = [] } = options;
    this.#options = options;
    this.random = new SeededRandom(`${seed}/scenario`);
    this.#networks = rungs.map(
      (_, phase) =>
        new Network({ ...CONDITIONS, ...options }, this.agenda, new SeededRandom(`${seed}/network/${phase}`)),
    );
    this.climbers = Array.from(
      { length: nodesCount },
      (_, index) =>
        new Climber({
          index,
          rungs,
          agenda: this.agenda,
          enter: (climber, phase, ascent) => this.#enter(climber, phase, ascent),
          peerIn: (climber, phase) => this.#peerIn(climber, phase),
        }),
    );
    // Nobody is down for good: a place in every phase's network is taken before its node has come.
    for (const network of this.#networks)
      for (const climber of this.climbers) network.nodes.push(this.#makeNode(climber, 0, undefined, network));
    for (const climber of this.climbers) if (!late.includes(climber.index)) climber.start();
  }

  get up(): readonly Climber[] {
    return this.climbers.filter(({ isUp }) => isUp);
  }

  /** `part([0, 0, 1, 1])` keeps two and two apart in every phase; `part()` heals. */
  part(groups?: readonly number[]): void {
    for (const network of this.#networks) network.part(groups);
  }

  /** Runs until `done`; throws `FLOCK_STALLED` when it is not done in time. */
  until(done: () => boolean): void {
    const endMs = this.agenda.nowMs + LIMIT_MS;
    while (!done()) {
      if (this.agenda.step() && this.agenda.nowMs <= endMs) continue;
      const states = this.climbers.map(
        ({ phase, node, isUp }) => `${isUp ? node?.machine.stage : "down"} ${phase}/${node?.machine.round}`,
      );
      throw new StarlingError("FLOCK_STALLED", `seed ${this.#options.seed}: ${states.join(", ")}`);
    }
  }

  /** Until everybody who runs has come to the end of the last phase, on one history. */
  untilClimbed(): void {
    const isEnded = ({ ended }: Climber): boolean => ended.length === this.#options.rungs.length;
    this.until(() => this.up.every(isEnded) && this.marks().every(({ length }) => length === 1));
  }

  /** Of each phase: the marks that it ended with, one if all agree. */
  marks(): string[][] {
    return this.#options.rungs.map((_, phase) => [
      ...new Set(
        this.up.flatMap(({ ended }) => {
          const mark = ended[phase]?.mark;
          return mark === undefined ? [] : [`${mark.round} ${mark.root}`];
        }),
      ),
    ]);
  }

  #enter(climber: Climber, phase: number, ascent: Ascent | undefined): FlockNode {
    const network = this.#networks[phase] as Network;
    const node = this.#makeNode(climber, phase, ascent, network);
    network.nodes[climber.index] = node;
    network.syncForEver(node);
    return node;
  }

  /** One who is in the phase and reached, at random; nobody where nobody is. */
  #peerIn(climber: Climber, phase: number): FlockNode | undefined {
    const network = this.#networks[phase] as Network;
    const self = network.nodes[climber.index] as FlockNode;
    const group = network.groupOf(climber.index);
    const there = network.nodes.filter(
      (node) =>
        node !== self &&
        node.isUp &&
        network.groupOf(node.index) === group &&
        node.options.run.startSettled === self.options.run.startSettled,
    );
    return there.length === 0 ? undefined : there[this.random.below(there.length)];
  }

  #makeNode(climber: Climber, phase: number, ascent: Ascent | undefined, network: Network): FlockNode {
    const { seed, slowness } = this.#options;
    const { index } = climber;
    const { folded, commons, run } = this.#startOf(phase, ascent);
    return new FlockNode({
      index,
      seed,
      run: { ...run, ...(ascent && { admits: (author) => ascent.admits(author) }) },
      shape: SHAPE,
      foldsAll: true,
      pace: { ...PACE, stepMs: PACE.stepMs * (slowness?.(index) ?? 1) },
      start: folded,
      agenda: this.agenda,
      network,
      commonsOf: () => commons,
      note: () => undefined,
      onFinished: () => climber.takeEnd(phase),
      onResync: (fork) => climber.takeResync(phase, fork),
    });
  }

  #startOf(phase: number, ascent: Ascent | undefined): PhaseStart {
    const name = `${phase} ${ascent?.mark.root}`;
    const known = this.#starts.get(name);
    if (known !== undefined) return known;
    const { seed, nodesCount, rungs, rule, late = [] } = this.#options;
    const random = new SeededRandom(`${seed}/${name}`);
    const weights = Int32Array.from({ length: LENGTHS.reduce((a, b) => a + b, 0) }, () =>
      random.below(2 ** 24),
    );
    const isRung = phase + 1 < rungs.length;
    const first = runOf({
      seed,
      rule: {
        startPeers: nodesCount - late.length,
        membersMax: Math.max(64, nodesCount),
        settleDepth: 4,
        ...rule,
      },
      limits: {
        phase,
        tokensBudget: rungs[phase]?.tokensBudget ?? 0,
        deltaBytesMax: Math.max(...CODEC.map((stage) => deltaBytesMax(LENGTHS, stage))),
        ...(isRung && { isRung: true }),
      },
      start: weights,
    });
    const run = {
      ...first,
      phase,
      startRoot: rootOfBytes(bytesOf(weights)),
      startSettled: ascent?.mark.root ?? (first.startSettled as Digest),
      ...(ascent && { firstVoters: ascent.voters }),
    };
    const start = { folded: new Folded(weights), commons: new Commons(run), run };
    this.#starts.set(name, start);
    return start;
  }
}

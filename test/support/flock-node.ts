/**
 * One node of a flock: a real Machine, real deltas and real folds over small vectors; only time, the network and what
 * training learns are made up. What it saw, its residual and its settled roots are its disk and outlive a crash.
 */
import { belongs } from "../../src/consensus/histories.ts";
import { returnsOf } from "../../src/consensus/own-work.ts";
import {
  type CodecSchedule,
  type DeltaReader,
  codecAt,
  decodeDelta,
  encodeDelta,
  openDelta,
} from "../../src/codec/index.ts";
import {
  type Draft,
  type Effect,
  type Event,
  type FoldPlan,
  type GraphOptions,
  type Header,
  Machine,
  type TrainOrder,
  type Trained,
  encodeHeader,
  foldRound,
  parseHeader,
} from "../../src/consensus/index.ts";
import {
  type ContributionId,
  type Digest,
  type PeerId,
  RAW,
  SeededRandom,
  assert,
  bytesOf,
  cidOf,
  digestFromBytes,
  digestOf,
  rootOfBytes,
  sha256,
} from "../../src/core/index.ts";
import type { Agenda } from "./agenda.ts";
import { peerOf, textBytes } from "./run-of.ts";

/** A contribution as it travels: header and body. */
export interface Parcel {
  readonly id: ContributionId;
  readonly header: Header;
  /** Index of the author's node. */
  readonly author: number;
  readonly body: Uint8Array | null;
  /** The body, opened and checked once for all nodes; null without a body. */
  readonly reader: DeltaReader | null;
}

export interface Training {
  /** Elements of each tensor. */
  readonly lengths: readonly number[];
  readonly codec: CodecSchedule;
  readonly stepsPerRound: number;
  readonly stepMs: number;
}

export interface FlockNodeOptions {
  readonly index: number;
  readonly seed: string;
  readonly run: GraphOptions;
  readonly training: Training;
  readonly agenda: Agenda;
  /** How much slower than the others it trains. */
  readonly slowness: number;
  /** Sends a parcel of its own to everybody. */
  readonly broadcast: (node: FlockNode, parcel: Parcel) => void;
  /** Asks the others for headers that it lacks. */
  readonly want: (node: FlockNode, ids: readonly ContributionId[]) => void;
  /** Asks the others for a body. */
  readonly pull: (node: FlockNode, id: ContributionId) => void;
  readonly note: (line: string) => void;
}

const FOLD_MS = 20;
const CLOSING_MS = 20;
const STEP_JITTER = 0.2;
const NO_SIGNATURE = new Uint8Array(64);

export class FlockNode {
  readonly index: number;
  readonly peer: PeerId;
  /** Every contribution that it saw, in order of arrival. */
  readonly seen: Map<ContributionId, Parcel> = new Map();
  /** Those of them whose bodies it holds. */
  readonly held: Set<ContributionId> = new Set();
  /** Root of every round that it settled. */
  readonly settled: Map<number, Digest> = new Map();
  /** Rounds that it published in, one entry each time. */
  readonly publishedRounds: number[] = [];
  /** How often it left a history for another. */
  resyncs = 0;
  /** Codes of verdicts on what others sent, but for those that say it was known. */
  readonly refusals: string[] = [];
  finishedRound: number | undefined;
  isUp = false;
  machine: Machine;
  readonly #options: FlockNodeOptions;
  /** Counts starts, so that what was under way at a crash never comes back. */
  #life = 0;
  /** What compression dropped, as of the last contribution. (P,) */
  #residual: Int32Array;
  /** The sum of all that it ever learned. (P,) */
  readonly #learned: Int32Array;
  /** The delta that the next header names. */
  #body: Uint8Array | null = null;
  /** Weights of the last settled round, (P,). */
  #base: Int32Array;
  #training: { order: TrainOrder; startedMs: number; stepMs: number; restart: number } | undefined;

  constructor(options: FlockNodeOptions) {
    this.#options = options;
    this.index = options.index;
    this.peer = peerOf(`${options.seed}/${options.index}`);
    this.machine = this.#newMachine();
    this.#base = this.#zeros();
    this.#residual = this.#zeros();
    this.#learned = this.#zeros();
  }

  /** Starts for the first time or again, with what it had seen before. */
  start(): void {
    assert(!this.isUp, "a node is started once");
    this.isUp = true;
    this.#life += 1;
    this.machine = this.#newMachine();
    this.#base = this.#zeros();
    this.#training = undefined;
    for (const parcel of this.seen.values())
      this.#give({ kind: "header", id: parcel.id, header: parcel.header });
    for (const id of this.held) this.#give({ kind: "body", id, passed: true });
    this.#give({ kind: "begin" });
  }

  /** Before it starts: takes over all that a peer has. */
  copyFrom(peer: FlockNode): void {
    assert(!this.isUp, "a node that runs is sent things");
    for (const [id, parcel] of peer.seen) this.seen.set(id, parcel);
    for (const id of peer.held) this.held.add(id);
  }

  crash(): void {
    this.isUp = false;
    this.#life += 1;
  }

  takeHeader(parcel: Parcel): void {
    if (this.seen.has(parcel.id)) return;
    this.seen.set(parcel.id, parcel);
    this.#give({ kind: "header", id: parcel.id, header: parcel.header });
  }

  takeBody({ id, body }: Parcel): void {
    if (this.held.has(id) || body === null) return;
    this.held.add(id);
    this.#give({ kind: "body", id, passed: true });
  }

  #newMachine(): Machine {
    return new Machine({ ...this.#options.run, self: this.peer });
  }

  #zeros(): Int32Array {
    return new Int32Array(this.#options.training.lengths.reduce((a, b) => a + b, 0));
  }

  #give(event: Event extends infer E ? (E extends Event ? Omit<E, "nowMs"> : never) : never): void {
    const { nowMs } = this.#options.agenda;
    for (const effect of this.machine.handle({ ...event, nowMs } as Event)) this.#take(effect);
  }

  /** Something that this life of the node does later. */
  #later(delayMs: number, run: () => void): void {
    const life = this.#life;
    this.#options.agenda.in(delayMs, () => {
      if (life === this.#life) run();
    });
  }

  #take(effect: Effect): void {
    const { agenda, note } = this.#options;
    switch (effect.kind) {
      case "refuse":
        if (effect.why.code !== "HEADER_KNOWN") this.refusals.push(effect.why.code);
        note(`${this.index} refuses ${effect.id} ${effect.why.code}`);
        break;
      case "want":
        this.#options.want(this, effect.ids);
        break;
      case "admit":
        // The real node writes it to disk here; ours keeps all that it saw.
        break;
      case "pull":
        this.#pull(effect.contribution.id);
        break;
      case "fold":
        this.#later(FOLD_MS, () => this.#fold(effect.plan));
        break;
      case "train":
        this.#train(effect.order);
        break;
      case "hurry":
        this.#hurry();
        break;
      case "publish":
        this.#publish(effect.draft);
        break;
      case "settled": {
        const { round, root } = effect.state;
        const before = this.settled.get(round) ?? root;
        assert(
          before === root,
          `seed ${this.#options.seed}: node ${this.index} settled round ${round} twice`,
        );
        this.settled.set(round, root);
        note(`${this.index} settled ${round} ${root}`);
        break;
      }
      case "resync":
        // What had settled is void; the bodies are still on our disk.
        this.settled.clear();
        this.resyncs += 1;
        note(`${this.index} goes over to another history, from round ${effect.fork}`);
        break;
      case "wake":
        this.#later(effect.atMs - agenda.nowMs, () => this.#give({ kind: "tick" }));
        break;
      case "finished":
        this.finishedRound = effect.round;
        note(`${this.index} finished ${effect.round}`);
        break;
    }
  }

  #pull(id: ContributionId): void {
    if (this.held.has(id)) this.#later(0, () => this.#give({ kind: "body", id, passed: true }));
    else this.#options.pull(this, id);
  }

  #fold(plan: FoldPlan): void {
    if (plan.from === 0) this.#base = this.#zeros();
    const weights = this.#base.slice();
    for (const { round, terms } of plan.rounds) {
      if (round === plan.settledRound) this.#base = weights.slice();
      foldRound(
        weights,
        terms.map(({ id, factor }) => ({ reader: this.#readerOf(id), factor })),
        1,
      );
    }
    if (plan.settledRound === plan.round) this.#base = weights.slice();
    const start = rootOfBytes(bytesOf(weights));
    const settledWeights = rootOfBytes(bytesOf(this.#base));
    this.#give({ kind: "folded", round: plan.round, start, settledWeights });
  }

  #readerOf(id: ContributionId): DeltaReader {
    const reader = this.held.has(id) ? this.seen.get(id)?.reader : undefined;
    assert(reader, `node ${this.index} is asked to fold what it does not hold: ${id}`);
    return reader;
  }

  #train(order: TrainOrder): void {
    const { seed, training, slowness, agenda } = this.#options;
    const jitter = new SeededRandom(`${seed}/${this.index}/${order.round}/speed`).unit();
    const stepMs = training.stepMs * slowness * (1 + STEP_JITTER * (jitter - 0.5));
    this.#training = { order, startedMs: agenda.nowMs, stepMs, restart: 0 };
    const durationMs = order.closing ? CLOSING_MS : training.stepsPerRound * stepMs;
    this.#finishIn(durationMs);
  }

  /** Finishes at the end of the step it is in: one at least. */
  #hurry(): void {
    const training = this.#training;
    if (training === undefined || training.order.closing) return;
    const doneMs = this.#options.agenda.nowMs - training.startedMs;
    const steps = Math.max(1, Math.ceil(doneMs / training.stepMs));
    this.#finishIn(Math.max(0, steps * training.stepMs - doneMs));
  }

  /** A later call replaces an earlier one. */
  #finishIn(delayMs: number): void {
    const training = this.#training;
    assert(training !== undefined, "only a training node finishes training");
    const restart = ++training.restart;
    this.#later(delayMs, () => {
      if (this.#training !== training || training.restart !== restart) return;
      this.#training = undefined;
      const { stepsPerRound } = this.#options.training;
      const doneMs = this.#options.agenda.nowMs - training.startedMs;
      const steps = Math.min(stepsPerRound, Math.max(1, Math.round(doneMs / training.stepMs)));
      this.#finish(training.order, training.order.closing ? 0 : steps);
    });
  }

  /** residual += restored + learned; encode; what was encoded leaves the residual. */
  #finish(order: TrainOrder, steps: number): void {
    const { seed, training, run } = this.#options;
    const residual = this.#residual;
    for (const id of order.restore) addInto(residual, this.#decode(id), 1);
    for (const id of order.withdraw) addInto(residual, this.#decode(id), -1);
    const stateBefore = rootOfBytes(bytesOf(residual));
    let body: Uint8Array | null = null;
    let norm = 0;
    if (steps > 0) {
      const random = new SeededRandom(`${seed}/${this.index}/${order.round}/learned`);
      for (let i = 0; i < residual.length; i++) {
        const learned = random.below(2 ** 19) - 2 ** 18;
        residual[i] += learned;
        this.#learned[i] += learned;
      }
      const codec = codecAt(training.codec, order.settledTokens);
      ({ bytes: body, norm } = encodeDelta(residual, training.lengths, codec));
    }
    const result: Trained = {
      delta: body && { cid: cidOf(body, RAW), bytes: body.length, norm },
      work: {
        steps,
        tokens: steps * run.limits.tokensPerStep,
        lossFirst: steps > 0 ? 2.5 : null,
        lossLast: steps > 0 ? 2.25 : null,
        stateBefore,
        stateAfter: rootOfBytes(bytesOf(residual)),
        engine: "flock",
      },
    };
    this.#body = body;
    this.#give({ kind: "trained", round: order.round, result });
  }

  /**
   * What it learned less what its residual and history hold of it: zero. Deltas that history left out since the last
   * contribution would be restored by the next; those that are not settled yet count as held.
   */
  unaccounted(): Int32Array {
    const rest = Int32Array.from(this.#learned, (learned, i) => learned - this.#residual[i]);
    const { view, graph } = this.machine;
    const own = graph.of(this.peer).filter(({ header }) => header.delta !== null);
    const { restore, withdraw } = returnsOf(graph.of(this.peer), view);
    for (const c of own) {
      const isOpen = c.header.round >= view.settledRound && belongs(c, view);
      const isIn = view.included(c.header.round).includes(c) || isOpen || restore.includes(c.id);
      if (isIn === withdraw.includes(c.id)) continue;
      this.#decode(c.id).forEach((value, i) => (rest[i] -= value));
    }
    return rest;
  }

  #decode(id: ContributionId): Int32Array {
    const { training } = this.#options;
    const body = this.seen.get(id)?.body ?? new Uint8Array(0);
    const settledTokens = this.machine.graph.get(id)?.view.settledTokens() ?? 0;
    const decoded = decodeDelta(body, training.lengths, codecAt(training.codec, settledTokens));
    assert(decoded.kind === "accept", "our own delta decodes");
    return decoded.value;
  }

  #publish({ previous, ...draft }: Draft): void {
    const reveal = previous === undefined ? null : digestFromBytes(this.#secretOf(previous.header));
    const next = digestOf(this.#secretOf(draft));
    const { bytes } = encodeHeader({ ...draft, lot: { reveal, next } }, NO_SIGNATURE);
    const parsed = parseHeader(bytes);
    assert(parsed.kind === "accept", `our own header parses: ${JSON.stringify(parsed)}`);
    const { id, header } = parsed.value;
    const body = this.#body;
    const parcel: Parcel = { id, header, author: this.index, body, reader: body && this.#open(body, header) };
    this.publishedRounds.push(draft.round);
    this.#options.note(`${this.index} publishes ${draft.round} ${id}`);
    this.takeHeader(parcel);
    this.takeBody(parcel);
    this.#options.broadcast(this, parcel);
  }

  #open(body: Uint8Array, { delta }: Header): DeltaReader {
    const { lengths, codec } = this.#options.training;
    const opened = openDelta(body, lengths, codecAt(codec, this.machine.view.settledTokens()));
    assert(opened.kind === "accept" && opened.value.norm === delta?.norm, "our own delta opens");
    return opened.value;
  }

  #secretOf({ round, settled }: Omit<Draft, "previous">): Uint8Array {
    return sha256(textBytes(`${this.#options.seed}/${this.index}/${round}/${settled.root}/secret`));
  }
}

function addInto(sum: Int32Array, values: Int32Array, sign: 1 | -1): void {
  for (let i = 0; i < sum.length; i++) sum[i] += sign * values[i];
}

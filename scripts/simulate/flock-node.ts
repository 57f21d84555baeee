/**
 * One node of a flock: a real Machine, real deltas and real folds over small vectors; only time, the network and what
 * training learns are made up. What its machine held is its disk: after a crash a new machine is given all of it.
 */
import type { DeltaReader } from "../../src/codec/index.ts";
import {
  type Base,
  type Commons,
  type Contribution,
  type Draft,
  type Effect,
  type Event,
  type FoldPlan,
  Machine,
  type MachineOptions,
  OwnWork,
  type TrainOrder,
  type View,
} from "../../src/consensus/index.ts";
import {
  type ContributionId,
  type Digest,
  type PeerId,
  assert,
  digestFromBytes,
  digestOf,
  sha256,
} from "../../src/core/index.ts";
import type { Agenda } from "./agenda.ts";
import type { Folded } from "./fold-tree.ts";
import { Learner } from "./learner.ts";
import type { Network } from "./network.ts";
import { NodeWeights } from "./node-weights.ts";
import { type Body, type Parcel, type Shape, seal } from "./parcel.ts";
import { peerOf, textBytes } from "./run-of.ts";
import type { Strategy } from "./strategy.ts";
import { type Pace, Training } from "./training.ts";

export interface FlockNodeOptions {
  readonly index: number;
  readonly seed: string;
  readonly run: Omit<MachineOptions, "self">;
  readonly shape: Shape;
  /** After a crash it folds from the phase's start, not from a settled state: a ladder's ends need all rounds. */
  readonly foldsAll?: boolean;
  /** Of this node. */
  readonly pace: Pace;
  /** The phase's start. */
  readonly start: Folded;
  readonly agenda: Agenda;
  readonly network: Network;
  /** What all machines that start from one state compute alike. */
  readonly commonsOf: (base: Base | undefined) => Commons;
  readonly strategy?: Strategy | undefined;
  readonly note: (line: string) => void;
  /** Its phase is over. */
  readonly onFinished?: (() => void) | undefined;
  /** It leaves its history for another, from the round `fork` on. */
  readonly onResync?: ((fork: number) => void) | undefined;
  /** It folds for a round that it has entered. */
  readonly onRound?: ((node: FlockNode, view: View) => void) | undefined;
}

const FOLD_MS = 20;

/** A settled state, or the phase's start, and its weights. */
interface First {
  readonly base: Base | undefined;
  readonly weights: Folded;
}

export class FlockNode {
  readonly index: number;
  readonly peer: PeerId;
  readonly strategy: Strategy | undefined;
  readonly options: FlockNodeOptions;
  /** Root of every round that it settled. */
  readonly settled: Map<number, Digest> = new Map();
  /** Rounds that it settled again on another root. */
  readonly settledTwice: number[] = [];
  /** What it published, in order. */
  readonly published: Parcel[] = [];
  /** Codes of verdicts on what others sent, but for those that say it was known. */
  readonly refusals: string[] = [];
  /** Bodies that nobody gave when it asked. */
  readonly lacking: Set<ContributionId> = new Set();
  /** The most headers that ever waited for parents. */
  waitingMax = 0;
  finishedRound: number | undefined;
  /** How often it left a history for another. */
  resyncs = 0;
  isUp = false;
  machine: Machine;
  readonly #name: string;
  /** What it made and does not go on from itself. */
  readonly #kept = new Set<ContributionId>();
  readonly #rejected = new Set<ContributionId>();
  readonly #learner: Learner;
  /** Counts starts, so that what was under way at a crash never comes back. */
  #life = 0;
  /** The delta that the next header names. */
  #body: Body | null = null;
  /** How far each earlier life came. */
  readonly #lives: { readonly firstRound: number; readonly view: View }[] = [];
  /** Where this life began. */
  #first: First;
  readonly #weights: NodeWeights;
  #training: Training | undefined;

  constructor(options: FlockNodeOptions) {
    const { index, seed, shape, run } = options;
    this.options = options;
    this.index = index;
    this.strategy = options.strategy;
    this.#name = `${seed}/${index}`;
    this.peer = peerOf(this.#name);
    this.#first = { base: undefined, weights: options.start };
    this.#weights = new NodeWeights(options.start);
    this.machine = this.#newMachine();
    this.#learner = new Learner({ name: this.#name, shape, tokensPerStep: run.limits.tokensPerStep });
  }

  get #nowMs(): number {
    return this.options.agenda.nowMs;
  }

  /** Its machine knows nothing of the rounds before. */
  get firstRound(): number {
    return this.#first.base?.round ?? 0;
  }

  /** The included set of a round, as this life or an earlier one saw it; undefined where none did. */
  included(round: number): readonly Contribution[] | undefined {
    const lives = [...this.#lives, { firstRound: this.firstRound, view: this.machine.view }];
    return lives.findLast(({ firstRound }) => firstRound <= round)?.view.included(round);
  }

  /** Whether it has the header. */
  has(id: ContributionId): boolean {
    return this.machine.graph.has(id) || this.#kept.has(id);
  }

  /** Whether it has the body, too. */
  holds(id: ContributionId): boolean {
    return this.machine.holds(id) || this.#kept.has(id);
  }

  serves(parcel: Parcel, to: FlockNode): boolean {
    return this.strategy?.serves?.(parcel, to.index, this) ?? true;
  }

  /** Starts for the first time or again, with what it had before, and all that a peer has; from a settled state if it can. */
  start(peer?: FlockNode): void {
    assert(!this.isUp, "a node is started once");
    const before = this.machine;
    const first = this.#firstBase(peer);
    if (this.#life > 0) this.#lives.push({ firstRound: this.firstRound, view: before.view });
    this.isUp = true;
    this.#life += 1;
    this.#first = first;
    this.#weights.begin(first.weights, first.base?.round ?? 0);
    this.machine = this.#newMachine();
    this.#training = undefined;
    this.lacking.clear();
    this.#read(before);
    if (peer !== undefined) this.#read(peer.machine);
    this.#closeAccounts(before);
    if (this.strategy?.act === undefined) this.#give({ nowMs: this.#nowMs, kind: "begin" });
    else this.strategy.act(this);
  }

  /** Our own newest settled state, or a peer's, who may have less of what came before. */
  #firstBase(peer?: FlockNode): First {
    if (this.options.foldsAll === true) return this.#first;
    const own = this.machine.base;
    const reach = peer?.firstRound ?? 0;
    if (own !== undefined && reach <= own.round) return { base: own, weights: this.#weights.settled };
    const theirs = peer?.machine.base;
    if (peer !== undefined && theirs !== undefined) return { base: theirs, weights: peer.#weights.settled };
    return peer === undefined ? this.#first : peer.#first;
  }

  /** Own deltas that had settled before our new start are history's, for good; without our last word we begin anew. */
  #closeAccounts({ view, graph }: Machine): void {
    const { base } = this.#first;
    if (base === undefined) return;
    if (this.machine.lastOwn === undefined) return this.#learner.forget();
    const settled = graph
      .of(this.peer)
      .filter(({ header }) => header.delta !== null && header.round < base.round)
      .filter((c) => view.included(c.header.round).includes(c));
    this.#learner.close(this.#bodiesOf(settled.map(({ id }) => id)));
  }

  #read(history: Machine): void {
    const { graph } = history;
    for (let r = this.firstRound; r < graph.roundsCount; r++) {
      for (const { id, header } of graph.round(r)) {
        if (history.holds(id)) this.#give({ nowMs: this.#nowMs, kind: "body", id, passed: true });
        this.#give({ nowMs: this.#nowMs, kind: "header", id, header });
      }
    }
  }

  crash(): void {
    this.isUp = false;
    this.#life += 1;
  }

  /** Its phase is over: it goes on in it to be ranked, or only looks on. */
  goOn(how: "rank" | "observe"): void {
    this.#give({ nowMs: this.#nowMs, kind: how });
  }

  takeHeader(parcel: Parcel): void {
    if (this.#rejected.size > 0 && this.#rejected.has(parcel.id)) return;
    if (this.strategy?.hears?.(parcel, this) === false) return;
    this.#give({ nowMs: this.#nowMs, kind: "header", id: parcel.id, header: parcel.header });
  }

  takeBody({ id, body }: Parcel): void {
    if (body !== null) this.#give({ nowMs: this.#nowMs, kind: "body", id, passed: true });
  }

  /** Something that this life of the node does later. */
  later(delayMs: number, run: () => void): void {
    const life = this.#life;
    this.options.agenda.in(delayMs, () => {
      if (life === this.#life) run();
    });
  }

  /** Takes a parcel of its own, which is then to be sent. */
  issue(parcel: Parcel): void {
    this.options.network.parcels.set(parcel.id, parcel);
    this.published.push(parcel);
    this.options.note(`${this.index} publishes ${parcel.header.round} ${parcel.id}`);
    this.takeHeader(parcel);
    this.takeBody(parcel);
  }

  /** Can give it to whoever asks, but does not go on from it itself. */
  keep(parcel: Parcel): void {
    this.options.network.parcels.set(parcel.id, parcel);
    this.#kept.add(parcel.id);
  }

  #newMachine(): Machine {
    const { run, commonsOf } = this.options;
    const { base } = this.#first;
    return new Machine({ ...run, base, commons: commonsOf(base), self: this.peer });
  }

  #give(event: Event): void {
    for (const effect of this.machine.handle(event)) this.#take(effect);
  }

  #take(effect: Effect): void {
    const { agenda, network, note } = this.options;
    switch (effect.kind) {
      case "refuse":
        if (effect.why.code === "HEADER_KNOWN") break;
        this.refusals.push(effect.why.code);
        if (effect.why.kind === "reject") this.#rejected.add(effect.id);
        note(`${this.index} refuses ${effect.id} ${effect.why.code}`);
        break;
      case "want":
        this.waitingMax = Math.max(this.waitingMax, this.machine.graph.waitingCount);
        network.want(this, effect.ids);
        break;
      case "admit":
        // The real node writes it to disk here; ours keeps all that it saw.
        break;
      case "pull":
        this.#pull(effect.contribution.id);
        break;
      case "fold":
        this.options.onRound?.(this, this.machine.view);
        this.later(FOLD_MS, () => this.#fold(effect.plan));
        break;
      case "train":
        this.#train(effect.order);
        break;
      case "hurry":
        this.#training?.hurry();
        break;
      case "publish":
        this.#publish(effect.draft);
        break;
      case "settled":
        this.#settle(effect.state.round, effect.state.root);
        break;
      case "resync":
        // What had settled is void; the bodies are still on our disk.
        this.settled.clear();
        this.resyncs += 1;
        this.options.onResync?.(effect.fork);
        note(`${this.index} goes over to another history, from round ${effect.fork}`);
        break;
      case "wake":
        this.later(effect.atMs - agenda.nowMs, () => this.#give({ nowMs: this.#nowMs, kind: "tick" }));
        break;
      case "overdue":
        // Everybody here keeps all bodies, and folds what there is.
        break;
      case "finished":
        this.finishedRound = effect.round;
        note(`${this.index} finished ${effect.round}`);
        this.options.onFinished?.();
        break;
    }
  }

  /**
   * What it learned less what its residual and history hold of it: zero. Deltas that history left out since the last
   * contribution would be restored by the next; those that are not settled yet count as held.
   */
  unaccounted(): Int32Array {
    const { view, graph } = this.machine;
    const own = new OwnWork();
    const all = graph.of(this.peer);
    for (const c of all) own.take(c);
    const { restore, withdraw } = own.returns(view);
    const held = all.filter((c) => {
      const isOpen = c.header.round >= view.settledRound && c.lineage.agrees(view.lineage);
      const isIn = view.included(c.header.round).includes(c) || isOpen || restore.includes(c.id);
      return c.header.delta !== null && isIn !== withdraw.includes(c.id);
    });
    return this.#learner.unaccounted(this.#bodiesOf(held.map(({ id }) => id)));
  }

  #bodiesOf(ids: readonly ContributionId[]): Body[] {
    return ids.map((id) => {
      const body = this.options.network.parcels.get(id)?.body;
      assert(body, `our own delta of ${id} was made here`);
      return body;
    });
  }

  #pull(id: ContributionId): void {
    if (!this.options.network.pull(this, id)) this.lacking.add(id);
  }

  #settle(round: number, root: Digest): void {
    if ((this.settled.get(round) ?? root) !== root) this.settledTwice.push(round);
    this.settled.set(round, root);
    this.options.note(`${this.index} settled ${round} ${root}`);
  }

  #fold(plan: FoldPlan): void {
    const folded = this.#weights.fold(plan, (id) => this.#readerOf(id));
    this.#give({ nowMs: this.#nowMs, kind: "folded", round: plan.round, ...folded });
  }

  #readerOf(id: ContributionId): DeltaReader {
    const reader = this.machine.holds(id) ? this.options.network.parcels.get(id)?.reader : undefined;
    assert(reader, `node ${this.index} is asked to fold what it does not hold: ${id}`);
    return reader;
  }

  #train(order: TrainOrder): void {
    const { agenda, pace } = this.options;
    const lie = this.strategy?.train?.(order, this);
    if (lie !== undefined) return this.later(lie.durationMs, () => this.#finish(order, lie.steps));
    this.#training = new Training({
      name: this.#name,
      pace,
      order,
      nowMs: () => agenda.nowMs,
      later: (delayMs, run) => this.later(delayMs, run),
      finish: (steps) => this.#finish(order, steps),
    });
  }

  #finish(order: TrainOrder, steps: number): void {
    this.#training = undefined;
    const { trained, body } = this.#learner.learn({
      round: order.round,
      steps,
      settledTokens: order.settledTokens,
      restored: this.#bodiesOf(order.restore),
      withdrawn: this.#bodiesOf(order.withdraw),
    });
    this.#body = body;
    const result = { ...trained, start: this.#weights.newest.root };
    this.#give({ nowMs: this.#nowMs, kind: "trained", round: order.round, result });
  }

  #publish(honest: Draft): void {
    const { network, shape } = this.options;
    const drafts = this.strategy?.drafts?.(honest, this) ?? [honest];
    for (const [variant, { previous, ...draft }] of drafts.entries()) {
      const reveal = previous === undefined ? null : digestFromBytes(this.#secretOf(previous.header));
      const lot = { reveal, next: digestOf(this.#secretOf(draft)) };
      const parcel = seal({ ...draft, lot }, draft.delta && this.#body, { maker: this.index, shape });
      if (variant === 0) this.issue(parcel);
      else this.keep(parcel);
      if (this.strategy?.send === undefined) network.broadcast(this, parcel);
      else this.strategy.send(parcel, this, variant);
    }
  }

  #secretOf({ round, settled }: Pick<Draft, "round" | "settled">): Uint8Array {
    return sha256(textBytes(`${this.#name}/${round}/${settled.root}/secret`));
  }
}

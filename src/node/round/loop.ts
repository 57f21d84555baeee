/**
 * A round, as a node lives it (docs/design.md, section 5). All decisions are the machine's; here its effects are
 * carried out and what came of them is told to it:
 *
 *   fold the parents' state -> train until the steps are done, time is up or the flock hurries -> header and delta to
 *   disk -> publish -> collect the others': check, pull, gate -> they become the parents of the next round.
 *
 * Longer than other files, so that a whole round can be read in one place.
 */
import type { PrivateKey } from "@libp2p/interface";
import type { BirpcReturn } from "birpc";
import {
  type Contribution,
  type Draft,
  type Effect,
  type Event,
  type FoldPlan,
  Machine,
  type MachineOptions,
  type PhaseMark,
  type SettledState,
  type TrainOrder,
} from "../../consensus/index.ts";
import {
  type Clock,
  type ContributionId,
  type Logger,
  type PeerId,
  type RunId,
  type Verdict,
  assert,
  pause,
} from "../../core/index.ts";
import { type Swarm, contributionsTopic } from "../../gossip/index.ts";
import { type Store, getBody, putBody } from "../../storage/index.ts";
import { Bodies } from "./bodies.ts";
import { Fates } from "./fates.ts";
import { FirstAnswer } from "./first-answer.ts";
import { FINAL_BATCHES, Folding } from "./folding.ts";
import type { Gate } from "../idle/gate.ts";
import { HeaderIntake, keepHeader } from "./header-intake.ts";
import { HeaderSync } from "./header-sync.ts";
import { signContribution } from "../keys/identity.ts";
import type { Footholds } from "../join/footholds.ts";
import { StepAhead } from "../join/step-ahead.ts";
import { Judging } from "./judging.ts";
import type { DeltaBody } from "../learner/folded-weights.ts";
import type { LearnerOwner, LearnerThread } from "../learner/protocol.ts";
import { Progress } from "./progress.ts";
import { Settling, type SettlingDeps } from "./settling.ts";
import { Tasks } from "./tasks.ts";

/** How long a node that has peers to ask waits for the first answer before it starts by itself. Guess. */
const FIRST_SYNC_MS_MAX = 30_000;
/** As long as it takes: the longest that a timer can wait, 24 days. */
const JOIN_MS_MAX = 2 ** 31 - 1;

/** How often one of our peers is asked for what is new. Guess: rounds take seconds at least. */
const SYNC_MS = 2_000;
/** The same of a phase that is only observed, where little happens. Guess. */
const OBSERVED_SYNC_MS = 15_000;

/** Keeps a node's event log, from which its machine can be run again. */
export interface Recorder {
  begin(options: MachineOptions): void;
  event(event: Event, effects: readonly Effect[]): void;
}

export interface LoopDeps extends Pick<SettlingDeps, "retire" | "checkpointed"> {
  readonly options: MachineOptions;
  readonly run: RunId;
  readonly key: PrivateKey;
  readonly store: Store;
  readonly swarm: Swarm;
  readonly learner: BirpcReturn<LearnerThread, LearnerOwner>;
  /** The most bytes that a delta can have after so many settled tokens. */
  deltaBytesMaxAt(settledTokens: number): number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Closed: nothing new is folded or trained, and a round under way ends after its step. */
  readonly gate: Gate;
  /** Others may know more than we do: ask before starting. */
  readonly asksFirst: boolean;
  /** Settled states to go on from. */
  readonly footholds: Footholds;
  /** By an address. */
  readonly isJoining: boolean;
  /** Told of all that the machine was told, and what it asked for. */
  readonly recorder: Recorder | undefined;
  /** Called whenever something may have changed in the machine or in the progress. */
  changed(): void;
  /** Called once, when the loop cannot go on. */
  fail(error: unknown): void;
}

export class RoundLoop {
  readonly machine: Machine;
  readonly progress: Progress = new Progress();
  readonly judging: Judging;
  readonly fates: Fates = new Fates();
  /** Everything that the phase is about has settled, or the run's successor was carried: where we ended. */
  readonly finished: Promise<PhaseMark & { readonly leaves: boolean }>;
  /** Resolves when the phase has ended and then another history of it outweighed ours: it ended otherwise. */
  readonly overturned: Promise<void>;
  readonly #deps: LoopDeps;
  readonly #stopping = new AbortController();
  readonly #bodies: Bodies;
  readonly #intake: HeaderIntake;
  readonly #sync: HeaderSync;
  readonly #topic: string;
  readonly #tasks: Tasks;
  readonly #listening: (() => void)[] = [];
  #trainingRound: number | undefined;
  #timer = new AbortController();
  #isObserving = false;
  readonly #pulling = new AbortController();
  /** The settled round that a phase which another grows from has ended with. */
  #endRound: number | undefined;
  /** The settled round that the work began at, when that was not the phase's start. */
  #footholdRound: number | undefined;
  #overturn: () => void = () => undefined;
  #finish: (mark: PhaseMark & { readonly leaves: boolean }) => void = () => undefined;
  readonly #settling: Settling;
  readonly #stepAhead: StepAhead;
  readonly #folding: Folding;
  readonly #firstAnswer = new FirstAnswer();

  constructor(deps: LoopDeps) {
    const { options, run, store, swarm, learner, clock, log } = deps;
    const signal = this.#stopping.signal;
    const { phase } = options;
    this.#deps = deps;
    this.#tasks = new Tasks({ signal, fail: (error) => deps.fail(error) });
    this.machine = new Machine(options);
    deps.recorder?.begin(options);
    this.finished = new Promise((resolve) => (this.#finish = resolve));
    this.overturned = new Promise((resolve) => (this.#overturn = resolve));
    this.#topic = contributionsTopic(run, phase);
    const { graph } = this.machine;
    this.#listening.push(deps.gate.onChange(() => this.#minds(deps.gate)));
    this.#bodies = new Bodies({
      swarm,
      graph,
      clock,
      log,
      signal: AbortSignal.any([signal, this.#pulling.signal]),
      blocks: store.blocks,
      bytesMax: ({ view }) => deps.deltaBytesMaxAt(view.settledTokens()),
      hold: ({ id, view }, bytes) => learner.hold(id, { bytes, settledTokens: view.settledTokens() }),
      lacking: (contribution) => {
        const look = this.#stepAhead.note(contribution);
        if (look !== undefined) this.#tasks.spawn(look);
      },
      settle: (contribution, verdict) => this.#takeBody(contribution, verdict),
    });
    this.#settling = new Settling({ ...deps, machine: this.machine });
    this.#stepAhead = new StepAhead({
      machine: this.machine,
      footholds: deps.footholds,
      clock,
      take: (state) => void this.#dispatch({ kind: "foothold", state }),
    });
    this.#folding = new Folding({
      machine: this.machine,
      learner,
      gate: deps.gate,
      progress: this.progress,
      weightsStand: () => this.#stepAhead.done(),
      signal,
    });
    this.judging = new Judging({
      machine: this.machine,
      self: options.self,
      judge: (round, candidates) => learner.judge(round, candidates),
      tell: (id, verdict) => this.#takeVerdict(id, verdict),
    });
    this.#intake = new HeaderIntake({
      graph,
      roundNow: () => this.machine.round,
      take: (id, header) => this.#dispatch({ kind: "header", id, header }),
    });
    this.#sync = new HeaderSync({
      swarm,
      clock,
      log,
      signal,
      phase,
      intervalMs: () => (this.#isObserving ? OBSERVED_SYNC_MS : SYNC_MS),
      roundNow: () => this.machine.round,
      missing: () => graph.missing(),
      receive: (bytes) => this.#intake.receive(bytes),
    });
  }

  /** History from our disk, then from our peers, then rounds. */
  async start(): Promise<void> {
    const { swarm, store, options } = this.#deps;
    for await (const bytes of store.contributions.all(options.phase)) await this.#intake.receive(bytes);
    await this.#resumeState();
    swarm.topic(this.#topic, (bytes) => this.#intake.hear(bytes));
    for (const peer of swarm.peers()) this.#tasks.spawn(this.#meet(peer));
    this.#listening.push(swarm.onPeer((peer) => this.#tasks.spawn(this.#meet(peer))));
    this.#tasks.spawn(this.#begin());
    this.#tasks.spawn(this.#sync.run());
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the node is stopping"));
    for (const leave of this.#listening) leave();
    this.#timer.abort();
    this.#deps.swarm.leave(this.#topic);
    void this.#deps.learner.hurry.asEvent(Infinity);
    await this.#bodies.idle();
    await this.#tasks.ended();
  }

  /** Whether the learner is in a round now. */
  get isTraining(): boolean {
    return this.#trainingRound !== undefined;
  }

  #minds(gate: Gate): void {
    if (gate.why !== null && this.#trainingRound !== undefined)
      void this.#deps.learner.hurry.asEvent(this.#trainingRound);
    this.#deps.changed();
  }

  /** The phase is over and the node goes on in it, to be ranked. */
  rank(): void {
    this.#dispatch({ kind: "rank" });
  }

  /** The phase is over and the node trains a later one: only headers are taken from here on, to see who qualifies, and whether our history of it stands. */
  observe(): void {
    this.#isObserving = true;
    this.#pulling.abort(new Error("the phase is over for us"));
    this.#dispatch({ kind: "observe" });
  }

  // 1. Fold and train.

  async #fold(plan: FoldPlan): Promise<void> {
    const folded = await this.#folding.fold(plan);
    if (folded !== undefined) this.#dispatch({ kind: "folded", round: plan.round, ...folded });
  }

  // 2. Train, and encode what was learned.

  async #train(order: TrainOrder): Promise<void> {
    const { learner, store, options, gate, log } = this.#deps;
    if (!order.closing) await gate.opened(this.#stopping.signal);
    const [restore, withdraw] = await Promise.all([
      this.#ownDeltas(order.restore),
      this.#ownDeltas(order.withdraw),
    ]);
    if (restore.length > 0)
      log.info("our work goes back into the residual", { round: order.round, deltas: restore.length });
    const name = { phase: options.phase, round: order.round };
    this.#trainingRound = order.round;
    const trained = await learner.train(name, order, { restore, withdraw });
    const { result, delta } = trained;
    this.progress.countTraining({ ...trained, work: result.work });
    const link = delta && {
      cid: await putBody(store.blocks, delta.bytes),
      bytes: delta.bytes.length,
      norm: delta.norm,
    };
    this.#trainingRound = undefined;
    this.#dispatch({ kind: "trained", round: order.round, result: { ...result, delta: link } });
  }

  async #ownDeltas(ids: readonly ContributionId[]): Promise<DeltaBody[]> {
    const deltas = await Promise.all(ids.map((id) => this.#ownDelta(id)));
    return deltas.filter((delta) => delta !== undefined);
  }

  async #ownDelta(id: ContributionId): Promise<DeltaBody | undefined> {
    const own = this.machine.graph.get(id);
    const delta = own?.header.delta;
    const bytes = delta && (await getBody(this.#deps.store.blocks, delta.cid, delta.bytes));
    if (own && bytes) return { bytes, settledTokens: own.view.settledTokens() };
    assert(own && own.header.round < this.#settling.retiredUntil, `our own delta of ${id} is on our disk`);
    this.#deps.log.warn("an own delta of long ago is in no history any more, and gone", { id });
    return undefined;
  }

  // 3. To disk, then to the others.

  async #publish(draft: Draft): Promise<void> {
    const { key, store, swarm, learner, log } = this.#deps;
    // The draft builds on this view, and nothing moves it before the header is out.
    const settledTokens = this.machine.view.settledTokens();
    const { id, header, bytes } = await signContribution(draft, key);
    if (header.delta !== null) {
      const delta = await getBody(store.blocks, header.delta.cid, header.delta.bytes);
      assert(delta, "a delta is on disk before its header");
      await learner.hold(id, { bytes: delta, settledTokens });
      this.progress.countPublished(delta.length);
    }
    await store.contributions.put({ phase: header.phase, round: header.round, id, bytes, durable: true });
    if (this.#stopping.signal.aborted) return;
    await swarm.publish(this.#topic, bytes);
    log.info(header.delta === null ? "closing" : "round", {
      round: header.round,
      lossNats: header.work.lossLast,
      steps: header.work.steps,
      parents: header.parents.length,
      peers: swarm.peers().length,
    });
    this.#dispatch({ kind: "header", id, header });
  }

  // 4. Collect the others' contributions.

  #takeBody(contribution: Contribution, verdict: Verdict<unknown>): void {
    // The learner has another model by now.
    if (this.#isObserving) return;
    const { id } = contribution;
    if (verdict.kind === "accept") {
      this.judging.add(contribution);
      this.#dispatch({ kind: "body", id, passed: null });
      return;
    }
    this.#deps.log.warn("delta refused", { id, code: verdict.code, detail: verdict.detail });
    this.#dispatch({ kind: "body", id, passed: false });
  }

  /** What the gates refuse is not cited by us, but folded where the others include it. */
  #takeVerdict(id: ContributionId, verdict: Verdict<null>): void {
    if (verdict.kind !== "accept")
      this.#deps.log.info("not worth citing", { id, code: verdict.code, detail: verdict.detail });
    this.#dispatch({ kind: "body", id, passed: verdict.kind === "accept", foldable: true });
  }

  // 5. What the machine decides, done.

  #dispatch(event: EventWithoutTime): readonly Effect[] {
    const timed: Event = { ...event, nowMs: this.#deps.clock.nowMs() };
    const effects = this.machine.handle(timed);
    this.#deps.recorder?.event(timed, effects);
    for (const effect of effects) this.#tasks.spawn(this.#perform(effect));
    if (this.judging.isDue) this.#tasks.spawn(this.judging.judge());
    this.#deps.changed();
    return effects;
  }

  async #perform(effect: Effect): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    switch (effect.kind) {
      case "refuse":
        return this.#logRefusal(effect);
      case "admit":
        return keepHeader(this.#deps.store, effect.contribution);
      case "want":
        return this.#want();
      case "pull":
        return this.#bodies.pull(effect.contribution, (error) => this.#deps.fail(error));
      case "fold":
        return this.#fold(effect.plan);
      case "train":
        return this.#train(effect.order);
      case "hurry":
        return this.#deps.learner.hurry.asEvent(effect.round);
      case "publish":
        return this.#publish(effect.draft);
      case "settled":
        return this.#settle(effect.state);
      case "wake":
        return this.#wakeAt(effect.atMs);
      case "overdue":
        return this.#stepAhead.overdue(effect.round);
      case "resync":
        return this.#resync(effect.fork, effect.lost);
      case "finished":
        return this.#end(effect.leaves);
    }
  }

  #logRefusal({ id, why: { code, detail } }: Effect & { kind: "refuse" }): void {
    if (code !== "HEADER_KNOWN") this.#deps.log.debug("header refused", { id, code, detail });
  }

  async #want(): Promise<void> {
    const [peer] = this.#deps.swarm.peers();
    if (peer !== undefined) await this.#sync.fetchMissing(peer);
  }

  async #wakeAt(atMs: number): Promise<void> {
    const { clock } = this.#deps;
    this.#timer.abort();
    this.#timer = new AbortController();
    const { signal } = this.#timer;
    const isDue = await pause(clock, Math.max(0, atMs - clock.nowMs()), signal);
    if (isDue && !this.#stopping.signal.aborted) this.#dispatch({ kind: "tick" });
  }

  async #settle(state: SettledState): Promise<void> {
    const { graph, view } = this.machine;
    this.progress.countSettled(this.#deps.options.self, view, state.round);
    this.fates.settle(graph, view, state.round);
    await this.#settling.settle(state);
  }

  #resync(fork: number, lost: SettledState | undefined): void {
    if (this.#endRound !== undefined && fork < this.#endRound) this.#overturn();
    this.progress.restart();
    this.fates.restart();
    if (lost === undefined) return;
    const { round, root } = lost;
    const why = "another history has more voting weight behind it";
    this.#deps.log.warn("our history lost: going over to another", { why, fork, round, root });
  }

  /** Everything that was trained has settled. */
  async #end(leaves: boolean): Promise<void> {
    const { settled } = this.machine;
    assert(settled !== undefined, "a finished phase has settled");
    const { round, root } = settled;
    if (this.#deps.options.limits.isRung === true) this.#endRound = round;
    await this.#settling.end(settled, { isNews: this.#footholdRound !== round });
    this.progress.validationLossLastNats = await this.#deps.learner.evaluate("settled", FINAL_BATCHES);
    this.#deps.log.info("finished", { round, root });
    this.#finish({ round, root, leaves });
    this.#deps.changed();
  }

  // Coming and coming back.

  async #begin(): Promise<void> {
    const { asksFirst, clock, log, footholds, isJoining, options } = this.#deps;
    const { signal } = this.#stopping;
    // Whoever goes on from a settled state can't begin without those who made it.
    const patienceMs = this.#hasHistory ? FIRST_SYNC_MS_MAX : JOIN_MS_MAX;
    if (asksFirst) await this.#firstAnswer.wait(patienceMs, { clock, log, signal });
    if (signal.aborted) return;
    const sinceRound = options.landmark?.round ?? 0;
    const isBegun = options.base !== undefined;
    const state = isBegun ? undefined : await footholds.first(this.machine.graph, { isJoining, sinceRound });
    if (signal.aborted) return;
    if (state !== undefined) {
      this.#footholdRound = state.round;
      this.#dispatch({ kind: "foothold", state });
    }
    await this.#sendAgain();
    this.#dispatch({ kind: "begin" });
  }

  async #meet(peer: PeerId): Promise<void> {
    const { settled, stage, round } = this.machine;
    const firstRound = this.#deps.options.base?.round ?? 0;
    const fromRound = stage === "idle" ? firstRound : Math.min(round, settled?.round ?? firstRound);
    if ((await this.#sync.catchUp(peer, fromRound)) && this.#hasHistory) this.#firstAnswer.come();
  }

  /**
   * Nothing can be built on a settled state alone, nor on the headers of a peer that joined late, which lack their parents; and
   * the landmark of an address must be seen before anything is folded.
   */
  get #hasHistory(): boolean {
    const { base, landmark } = this.#deps.options;
    const { roundsCount, waitingCount } = this.machine.graph;
    if (base !== undefined || landmark !== undefined) return roundsCount > (landmark?.round ?? 0);
    return roundsCount > 0 || waitingCount === 0;
  }

  /** What we had on disk as our last word goes out again, byte for byte: nobody may have heard it. */
  async #sendAgain(): Promise<void> {
    const own = this.machine.lastOwn;
    const bytes = own && (await this.#deps.store.contributions.get(own.id));
    if (bytes !== undefined) await this.#deps.swarm.publish(this.#topic, bytes);
  }

  async #resumeState(): Promise<void> {
    const { options, learner, log } = this.#deps;
    const own = this.machine.lastOwn;
    if (own === undefined) return;
    const { phase, round, work } = own.header;
    const resumed = await learner.resume({ phase, round }, work.stateAfter);
    if (!resumed)
      log.warn("optimiser state of our last round is lost: starting with an empty one", { round });
    this.progress.resume(this.machine.graph, options.self);
  }
}

type EventWithoutTime = Event extends infer E ? (E extends Event ? Omit<E, "nowMs"> : never) : never;

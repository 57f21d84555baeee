/**
 * One node's part in one phase, as a state machine: events in, effects out. No I/O, no clock (every event carries
 * the time), no randomness, nothing asynchronous: the simulator and the node run exactly this.
 *
 *   enter round R with parents P(R-1)  ->  fold  ->  train (or close)  ->  publish  ->  collect  ->  enter R+1
 *
 * Hurry, collect and jump are measured in the voting weight of the authors of S(R-2) (electorate.ts):
 *   hurry    half of it has published this round in full: stop training and publish what there is;
 *   collect  ends when all of it is in, and whoever published the last round; or a grace after two thirds; or when
 *            patience ends;
 *   jump     half of it has published a later round in full: go on from there.
 * A node that lacks a body it must fold keeps pulling and skips the round when the others go on without it.
 */
import type { ContributionId, Digest, PeerId, Refused } from "../core/index.ts";
import { electorateOf } from "./electorate.ts";
import type { FoldTerm } from "./fold.ts";
import { ContributionGraph, type GraphOptions, type Room } from "./graph.ts";
import type { DeltaLink, Header, UnsignedHeader, Work } from "./header.ts";
import { HEADER_VERSION } from "./header.ts";
import { chooseParents } from "./parents.ts";
import { batchSeed, settledRoot } from "./settlement.ts";
import { Tempo } from "./tempo.ts";
import { Turnout } from "./turnout.ts";
import type { Contribution, View } from "./view.ts";
import type { WeightTable } from "./weights.ts";

/** Rounds ahead of ours that are kept; a node that is further behind asks for them again when it gets there. Guess. */
const AHEAD_ROUNDS_MAX = 64;

export interface MachineOptions extends GraphOptions {
  readonly self: PeerId;
}

export type Event = { readonly nowMs: number } & (
  | { readonly kind: "header"; readonly id: ContributionId; readonly header: Header }
  /**
   * The delta was pulled. `passed`: it decodes, its norm is the header's and our gates let it pass, so we may cite it.
   * `foldable`: all but the gates (default: passed); what the others included is folded without our consent.
   */
  | {
      readonly kind: "body";
      readonly id: ContributionId;
      readonly passed: boolean;
      readonly foldable?: boolean;
    }
  /** All history that was at hand has been given: start working. */
  | { readonly kind: "begin" }
  | {
      readonly kind: "folded";
      readonly round: number;
      readonly start: Digest;
      readonly settledWeights: Digest;
    }
  | { readonly kind: "trained"; readonly round: number; readonly result: Trained }
  | { readonly kind: "tick" }
);

/** What the trainer did: no steps and no delta in a closing contribution. */
export interface Trained {
  readonly delta: DeltaLink | null;
  readonly work: Pick<
    Work,
    "steps" | "tokens" | "lossFirst" | "lossLast" | "stateBefore" | "stateAfter" | "engine"
  >;
}

/** Which rounds make up the weights that round R starts from. */
export interface FoldPlan {
  readonly round: number;
  /** Rounds below this are settled. */
  readonly settledRound: number;
  /** One entry per round, from the last settled round that was planned before up to R-1. */
  readonly rounds: readonly { readonly round: number; readonly terms: readonly FoldTerm[] }[];
}

export interface TrainOrder {
  readonly round: number;
  /** Only cite: the phase's budget is reached. */
  readonly closing: boolean;
  readonly seed: Digest;
  /** Included tokens before this round, and how many of the flock train along: the learning rate's position. */
  readonly tokensDone: number;
  readonly flockSize: number;
  /** Our own contributions that have settled as excluded: their deltas go back into the residual. */
  readonly restore: readonly ContributionId[];
}

export interface SettledState {
  readonly round: number;
  readonly root: Digest;
  readonly weightsRoot: Digest;
  readonly table: WeightTable;
}

/** A header without what only the key's owner can add; `previous` is our latest contribution, for the lot. */
export type Draft = Omit<UnsignedHeader, "lot"> & { readonly previous: Contribution | undefined };

export type Effect =
  | { readonly kind: "refuse"; readonly id: ContributionId; readonly why: Refused }
  /** It is part of the history that we hold now: keep it for ever. */
  | { readonly kind: "admit"; readonly contribution: Contribution }
  | { readonly kind: "want"; readonly ids: readonly ContributionId[] }
  | { readonly kind: "pull"; readonly contribution: Contribution }
  | { readonly kind: "fold"; readonly plan: FoldPlan }
  | { readonly kind: "train"; readonly order: TrainOrder }
  | { readonly kind: "hurry"; readonly round: number }
  | { readonly kind: "publish"; readonly draft: Draft }
  | { readonly kind: "settled"; readonly state: SettledState }
  | { readonly kind: "wake"; readonly atMs: number }
  | { readonly kind: "finished"; readonly round: number };

export type Stage = "idle" | "waiting" | "folding" | "training" | "publishing" | "collecting" | "finished";

export class Machine {
  readonly graph: ContributionGraph;
  readonly #options: MachineOptions;
  #stage: Stage = "idle";
  #view: View;
  readonly #turnout: Turnout;
  /** Contributions that can be folded, because the body is here or there is none; and whether they may be cited. */
  readonly #held = new Map<ContributionId, boolean>();
  /** Included sets whose bodies are all here. */
  readonly #complete = new WeakSet<readonly Contribution[]>();
  readonly #tempo: Tempo;
  readonly #room: Room;
  readonly #settled = new Map<number, SettledState>();
  #settledRound = 0;
  #start: Digest;
  #hurried = false;
  #trainStartedMs = 0;
  /** The last round that we trained in, in this life. */
  #trainedRound = -1;
  #collectStartedMs = 0;
  #twoThirdsAtMs: number | undefined;
  #effects: Effect[] = [];

  constructor(options: MachineOptions) {
    this.#options = options;
    this.graph = new ContributionGraph(options);
    this.#view = this.graph.view(0, []);
    this.#turnout = new Turnout(options.self, electorateOf(this.#view));
    this.#start = options.startRoot;
    this.#room = this.#makeRoom();
    this.#tempo = new Tempo(options.rule);
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** The round being worked on. */
  get round(): number {
    return this.#view.round;
  }

  /** History as seen from the parents that the current round builds on. */
  get view(): View {
    return this.#view;
  }

  /** The newest settled state that was folded. */
  get settled(): SettledState | undefined {
    return this.#settled.get(this.#settledRound);
  }

  /** Whether the contribution's body was given, or there is none. */
  holds(id: ContributionId): boolean {
    return this.#held.has(id);
  }

  handle(event: Event): readonly Effect[] {
    this.#effects = [];
    this.#take(event);
    return this.#effects;
  }

  #take(event: Event): void {
    switch (event.kind) {
      case "header":
        this.#takeHeader(event.id, event.header, event.nowMs);
        break;
      case "body":
        if (event.foldable ?? event.passed) this.#hold(event.id, event.passed);
        break;
      case "begin":
        if (this.#stage === "idle") this.#enter(this.#view, event.nowMs);
        break;
      case "folded":
        if (this.#stage === "folding" && event.round === this.round) this.#takeFolded(event, event.nowMs);
        break;
      case "trained":
        if (this.#stage === "training" && event.round === this.round)
          this.#takeTrained(event.result, event.nowMs);
        break;
      case "tick":
        break;
    }
    this.#goOn(event.nowMs);
  }

  #takeHeader(id: ContributionId, header: Header, nowMs: number): void {
    const admission = this.graph.add(id, header, this.#room);
    if (admission.kind === "waiting") {
      if (admission.missing.length > 0) this.#emit({ kind: "want", ids: admission.missing });
      return;
    }
    if (admission.kind !== "added") return this.#emit({ kind: "refuse", id, why: admission });
    for (const contribution of admission.contributions) {
      const { author, round, delta } = contribution.header;
      this.#turnout.takeHeader(author, round);
      const passed = this.#held.get(contribution.id);
      if (passed === true) this.#turnout.takePassed(author, round);
      this.#emit({ kind: "admit", contribution });
      if (delta === null) this.#hold(contribution.id, true);
      else if (passed === undefined) this.#emit({ kind: "pull", contribution });
    }
    if (header.author === this.#options.self && header.round === this.round && this.#stage === "publishing") {
      this.#hold(id, true);
      this.#startCollecting(nowMs);
    }
  }

  /** Before the work begins all history is taken. */
  #makeRoom(): Room {
    const isKnown = (author: PeerId): boolean =>
      author === this.#options.self || this.#view.weightOf(author) > 0;
    const roundMax = (): number => (this.#stage === "idle" ? Infinity : this.round + AHEAD_ROUNDS_MAX);
    return {
      isKnown,
      get roundMax() {
        return roundMax();
      },
    };
  }

  #hold(id: ContributionId, passed: boolean): void {
    if (passed) this.#held.set(id, true);
    else if (!this.#held.has(id)) this.#held.set(id, false);
    if (!passed) return;
    const header = this.graph.get(id)?.header;
    if (header !== undefined) this.#turnout.takePassed(header.author, header.round);
  }

  /** Whatever happened, move as far as it allows: a node that comes back late goes through many rounds at once. */
  #goOn(nowMs: number): void {
    for (;;) {
      const { round, stage } = this;
      this.#move(nowMs);
      if (this.round === round && this.stage === stage) return;
    }
  }

  #move(nowMs: number): void {
    switch (this.#stage) {
      case "waiting":
        if (this.#turnout.isOutrun) this.#startCollecting(nowMs);
        else if (this.#bodiesMissing().length === 0) this.#fold();
        break;
      case "training":
        if (!this.#hurried && this.#turnout.isHalfHere) {
          this.#hurried = true;
          this.#emit({ kind: "hurry", round: this.round });
        }
        break;
      case "collecting":
        this.#collect(nowMs);
        break;
      case "idle":
      case "folding":
      case "publishing":
      case "finished":
        break;
    }
  }

  // Entering a round.

  #enter(view: View, nowMs: number): void {
    this.#view = view;
    this.#turnout.enter(view.round, electorateOf(view));
    this.#tempo.included(this.#includedShare(view));
    const own = this.graph.by(this.#options.self, view.round);
    if (own !== undefined || this.#turnout.isOutrun) return this.#startCollecting(nowMs);
    this.#stage = "waiting";
    for (const contribution of this.#bodiesMissing()) this.#emit({ kind: "pull", contribution });
  }

  /** Of the weight that published round R-2, as far as we heard in full; what came too late for the others is left out. */
  #includedShare(view: View): number {
    const weigh = (all: readonly Contribution[]): number => {
      const authors = new Set(all.map(({ header }) => header.author));
      let weight = 0;
      for (const author of authors) weight += view.weightOf(author);
      return weight;
    };
    const published = weigh(this.#checked(view.round - 2));
    return published === 0 ? 1 : weigh(view.included(view.round - 2)) / published;
  }

  #bodiesMissing(): Contribution[] {
    const missing: Contribution[] = [];
    for (let r = this.#settledRound; r < this.round; r++) {
      const included = this.#view.included(r);
      if (this.#complete.has(included)) continue;
      const lacking = included.filter(({ id }) => !this.#held.has(id));
      if (lacking.length === 0) this.#complete.add(included);
      missing.push(...lacking);
    }
    return missing;
  }

  #fold(): void {
    this.#stage = "folding";
    const rounds: FoldPlan["rounds"][number][] = [];
    for (let r = this.#settledRound; r < this.round; r++) {
      rounds.push({ round: r, terms: this.#view.terms(r) });
    }
    this.#emit({ kind: "fold", plan: { round: this.round, settledRound: this.#settledRoundNow(), rounds } });
  }

  /** At the end of a phase: just behind the last round that anybody trained in, the same on every node. */
  #settledRoundNow(): number {
    let round = this.#view.settledRound;
    if (!this.#isOver()) return round;
    while (round > 0 && this.#view.included(round - 1).every(({ header }) => header.delta === null))
      round -= 1;
    return round;
  }

  #takeFolded(folded: { start: Digest; settledWeights: Digest }, nowMs: number): void {
    this.#start = folded.start;
    this.#settle(this.#settledRoundNow(), folded.settledWeights);
    if (this.#isOver()) {
      this.#stage = "finished";
      return this.#emit({ kind: "finished", round: this.#settledRound });
    }
    const { self } = this.#options;
    const settled = this.settled as SettledState;
    this.#stage = "training";
    this.#hurried = false;
    this.#trainedRound = this.round;
    this.#trainStartedMs = nowMs;
    this.#emit({
      kind: "train",
      order: {
        round: this.round,
        closing: this.isClosing,
        seed: batchSeed(settled.root, this.round, self),
        tokensDone: this.#view.includedTokens(),
        flockSize: this.round === 0 ? this.#options.rule.startPeers : this.#view.parents.length,
        restore: this.#excludedSince(self).map(({ id }) => id),
      },
    });
  }

  #settle(round: number, weightsRoot: Digest): void {
    const { run, phase } = this.#options;
    const table = this.#view.tableAt(round);
    const root =
      round === 0 ? this.#options.startSettled : settledRoot({ run, phase, round, weightsRoot, table });
    const isNews = round > this.#settledRound || this.#settled.size === 0;
    this.#settledRound = round;
    const state = { round, root, weightsRoot, table };
    this.#settled.set(round, state);
    this.#settled.delete(round - 2 * this.#options.rule.settleDepth);
    if (isNews) this.#emit({ kind: "settled", state });
  }

  /** Own deltas of rounds that have settled since our last contribution, without them. */
  #excludedSince(self: PeerId): Contribution[] {
    const from = this.graph.latestOf(self)?.header.settled.round ?? 0;
    const excluded: Contribution[] = [];
    for (let r = from; r < this.#view.settledRound; r++) {
      const own = this.graph.by(self, r);
      if (own?.header.delta && !this.#view.included(r).includes(own)) excluded.push(own);
    }
    return excluded;
  }

  /** The budget is reached: contributions only cite from here on. */
  get isClosing(): boolean {
    return this.#view.includedTokens() >= this.#options.limits.tokensBudget;
  }

  /** The budget is reached and nothing that anybody trained is still unsettled. */
  #isOver(): boolean {
    if (!this.isClosing) return false;
    for (let r = this.#view.settledRound; r < this.round; r++) {
      if (this.#view.included(r).some(({ header }) => header.delta !== null)) return false;
    }
    return true;
  }

  // Publishing.

  #takeTrained(result: Trained, nowMs: number): void {
    const { run, self } = this.#options;
    // Ours of this round came back to us, after a crash: there is never a second one.
    if (this.graph.by(self, this.round) !== undefined) return this.#startCollecting(nowMs);
    const settled = this.settled as SettledState;
    if (result.delta !== null) this.#tempo.trained(nowMs - this.#trainStartedMs);
    this.#stage = "publishing";
    this.#emit({
      kind: "publish",
      draft: {
        v: HEADER_VERSION,
        run,
        phase: this.#options.phase,
        round: this.round,
        author: self,
        parents: this.#view.parentIds,
        settled: { round: settled.round, root: settled.root },
        start: this.#start,
        delta: result.delta,
        work: { ...result.work, data: batchSeed(settled.root, this.round, self) },
        evidence: [],
        supports: null,
        previous: this.graph.latestOf(self),
      },
    });
  }

  // Collecting.

  #startCollecting(nowMs: number): void {
    this.#stage = "collecting";
    this.#collectStartedMs = nowMs;
    this.#twoThirdsAtMs = undefined;
  }

  #collect(nowMs: number): void {
    if (!this.#collected(nowMs)) return;
    const settledHere = this.#settled.get(this.#view.settledRound)?.root;
    const { tokensBudget } = this.#options.limits;
    const candidates = this.#checked(this.round).filter(
      // Training on after the budget is reached would keep the phase from ever settling.
      ({ header, view }) => header.delta === null || view.includedTokens() < tokensBudget,
    );
    const parents = chooseParents(candidates, this.#view, settledHere);
    if (parents.length > 0) this.#enter(this.graph.view(this.round + 1, parents), nowMs);
  }

  #collected(nowMs: number): boolean {
    if (this.#turnout.isHalfLater) return true;
    const own = this.graph.by(this.#options.self, this.round);
    const withSelf = own !== undefined;
    if (this.#turnout.hasTwoThirds(withSelf)) this.#gather(own, nowMs);
    if (this.#turnout.hasAll(withSelf)) return true;
    // Round 0 waits for everybody: there is no history that could go on without them.
    if (this.round === 0) return false;
    const { graceMs, patienceMs } = this.#tempo;
    const untilMs =
      this.#twoThirdsAtMs === undefined ? this.#collectStartedMs + patienceMs : this.#twoThirdsAtMs + graceMs;
    if (nowMs >= untilMs) return true;
    this.#emit({ kind: "wake", atMs: untilMs });
    return false;
  }

  #gather(own: Contribution | undefined, nowMs: number): void {
    if (this.#twoThirdsAtMs !== undefined) return;
    this.#twoThirdsAtMs = nowMs;
    if (own?.header.delta && this.#trainedRound === this.round)
      this.#tempo.gathered(nowMs - this.#trainStartedMs);
  }

  #checked(round: number): Contribution[] {
    return this.graph.round(round).filter(({ id }) => this.#held.get(id) === true);
  }

  #emit(effect: Effect): void {
    this.#effects.push(effect);
  }
}

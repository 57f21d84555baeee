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
 * A node that lacks a body it must fold keeps pulling and skips the round when the others go on without it. Histories
 * that settled differently are kept apart (histories.ts); when another one outweighs ours, we go over to it.
 *
 * Longer than other files, because every stage and every way out of it share one state.
 */
import type { ContributionId, Digest, PeerId } from "../core/index.ts";
import { type Electorate, electorateOf, hasHalf, weightOfAll, without } from "./electorate.ts";
import { type FoldTerm, foldTerms } from "./fold.ts";
import { ContributionGraph, type GraphOptions } from "./graph.ts";
import type { Header } from "./header.ts";
import type { Effect, Event, SettledState, Trained } from "./events.ts";
import { HEADER_VERSION } from "./header.ts";
import { belongs, forkOf, sameHistory, settledIn, wins } from "./histories.ts";
import { lastPublished, returnsOf } from "./own-work.ts";
import { chooseParents } from "./parents.ts";
import { batchSeed, settledRoot } from "./settlement.ts";
import { Tempo } from "./tempo.ts";
import type { Contribution, View } from "./view.ts";

/** Other histories that are kept an eye on; the one heard of longest ago gives way. Guess. */
const RIVALS_MAX = 16;

export interface MachineOptions extends GraphOptions {
  readonly self: PeerId;
}

export type Stage = "idle" | "waiting" | "folding" | "training" | "publishing" | "collecting" | "finished";

export class Machine {
  readonly graph: ContributionGraph;
  readonly #options: MachineOptions;
  #stage: Stage = "idle";
  #view: View;
  #electorate: Electorate;
  /** Contributions that can be folded: the body is here, or there is none. */
  readonly #held = new Set<ContributionId>();
  /** Those of them that may be cited. */
  readonly #passed = new Set<ContributionId>();
  readonly #tempo: Tempo;
  readonly #settled = new Map<number, SettledState>();
  #settledRound = 0;
  #start: Digest;
  #hurried = false;
  readonly #own: Contribution[] = [];
  /** By settled root: whether contributions that build on it are of our history. */
  readonly #kin = new Map<Digest, boolean>();
  /** The newest contribution seen of each other history, by its settled root. */
  readonly #rivals = new Map<Digest, Contribution>();
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
    this.#electorate = electorateOf(this.#view);
    this.#start = options.startRoot;
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

  /** Our own contribution that was published last. */
  get lastOwn(): Contribution | undefined {
    return lastPublished(this.#own);
  }

  /** The newest settled state that was folded. */
  get settled(): SettledState | undefined {
    return this.#settled.get(this.#settledRound);
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
    const isKnown = header.author === this.#options.self || this.#view.weightOf(header.author) > 0;
    const admission = this.graph.add(id, header, isKnown);
    if (admission.kind === "waiting") {
      if (admission.missing.length > 0) this.#emit({ kind: "want", ids: admission.missing });
      return;
    }
    if (admission.kind !== "added") return this.#emit({ kind: "refuse", id, why: admission });
    for (const contribution of admission.contributions) {
      this.#emit({ kind: "admit", contribution });
      if (contribution.header.author === this.#options.self) this.#own.push(contribution);
      this.#watch(contribution);
      if (contribution.header.delta === null) this.#hold(contribution.id, true);
      else this.#emit({ kind: "pull", contribution });
    }
    if (header.author === this.#options.self && header.round === this.round && this.#stage === "publishing") {
      this.#hold(id, true);
      this.#startCollecting(nowMs);
    }
  }

  #hold(id: ContributionId, passed: boolean): void {
    this.#held.add(id);
    if (passed) this.#passed.add(id);
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
        if (this.#followRival(nowMs)) break;
        if (this.#isOutrun(this.round)) this.#startCollecting(nowMs);
        else if (this.#bodiesMissing().length === 0) this.#fold();
        break;
      case "training":
        if (!this.#hurried && (this.#published(this.round) || this.#winner() !== undefined)) {
          this.#hurried = true;
          this.#emit({ kind: "hurry", round: this.round });
        }
        break;
      case "collecting":
        if (!this.#followRival(nowMs)) this.#collect(nowMs);
        break;
      case "finished":
        this.#followRival(nowMs);
        break;
      case "idle":
      case "folding":
      case "publishing":
        break;
    }
  }

  // Entering a round.

  #enter(view: View, nowMs: number): void {
    if (settledIn(view) !== settledIn(this.#view)) this.#kin.clear();
    this.#view = view;
    this.#electorate = electorateOf(view);
    if (this.#ownHere() !== undefined || this.#isOutrun(view.round)) return this.#startCollecting(nowMs);
    this.#stage = "waiting";
    for (const contribution of this.#bodiesMissing()) this.#emit({ kind: "pull", contribution });
  }

  #bodiesMissing(): Contribution[] {
    const missing: Contribution[] = [];
    for (let r = this.#settledRound; r < this.round; r++) {
      missing.push(...this.#view.included(r).filter(({ id }) => !this.#held.has(id)));
    }
    return missing;
  }

  #fold(): void {
    this.#stage = "folding";
    const rounds: { round: number; terms: FoldTerm[] }[] = [];
    for (let r = this.#settledRound; r < this.round; r++) {
      rounds.push({ round: r, terms: foldTerms(this.#view.included(r), this.#options.rule.outerRate) });
    }
    const settledRound = this.#settledRoundNow();
    this.#emit({ kind: "fold", plan: { round: this.round, from: this.#settledRound, settledRound, rounds } });
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
        settledTokens: this.#view.settledTokens(),
        ...returnsOf(this.#own, this.#view),
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
    if (this.#ownHere() !== undefined) return this.#startCollecting(nowMs);
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
        parents: this.#view.parents.map(({ id }) => id),
        settled: { round: settled.round, root: settled.root },
        start: this.#start,
        delta: result.delta,
        work: { ...result.work, data: batchSeed(settled.root, this.round, self) },
        evidence: [],
        supports: null,
        previous: this.lastOwn,
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
    if (this.#published(this.round + 1)) return true;
    const own = this.#ownHere();
    const electorate = own === undefined ? without(this.#electorate, this.#options.self) : this.#electorate;
    const here = this.#authorsOf(this.round);
    const weight = weightOfAll(electorate, here);
    if (3 * weight >= 2 * electorate.total) this.#gather(own, nowMs);
    if (weight >= electorate.total && this.#expected().isSubsetOf(here)) return true;
    // Round 0 waits for everybody: there is no history that could go on without them.
    if (this.round === 0) return false;
    const { graceMs, patienceMs } = this.#tempo;
    const untilMs =
      this.#twoThirdsAtMs === undefined ? this.#collectStartedMs + patienceMs : this.#twoThirdsAtMs + graceMs;
    if (nowMs >= untilMs) return true;
    this.#emit({ kind: "wake", atMs: untilMs });
    return false;
  }

  /** Newcomers weigh nothing, but whoever published the last round is given the grace, or nobody would ever hear it. */
  #expected(): Set<PeerId> {
    const expected = this.#authorsOf(this.round - 1);
    if (this.#ownHere() === undefined) expected.delete(this.#options.self);
    return expected;
  }

  #gather(own: Contribution | undefined, nowMs: number): void {
    if (this.#twoThirdsAtMs !== undefined) return;
    this.#twoThirdsAtMs = nowMs;
    if (own?.header.delta && this.#trainedRound === this.round)
      this.#tempo.gathered(nowMs - this.#trainStartedMs);
  }

  /** Whether half of the electorate has published this round or a later one in full. */
  #published(round: number): boolean {
    const authors = new Set<PeerId>();
    for (let r = round; r < this.graph.roundsCount; r++) for (const a of this.#authorsOf(r)) authors.add(a);
    authors.delete(this.#options.self);
    return hasHalf(this.#electorate, authors, this.#options.self);
  }

  /** Half of the electorate has gone on to later rounds, as headers say: too late to train, whether bodies are here or not. */
  #isOutrun(round: number): boolean {
    const authors = new Set<PeerId>();
    for (let r = round + 1; r < this.graph.roundsCount; r++) {
      for (const c of this.graph.round(r)) if (this.#isOurs(c)) authors.add(c.header.author);
    }
    authors.delete(this.#options.self);
    return hasHalf(this.#electorate, authors, this.#options.self);
  }

  #authorsOf(round: number): Set<PeerId> {
    return new Set(this.#checked(round).map(({ header }) => header.author));
  }

  /** What may be cited of a round: the body passed, and it is of our history. */
  #checked(round: number): Contribution[] {
    return this.graph.round(round).filter((c) => this.#passed.has(c.id) && this.#isOurs(c));
  }

  /** Our own contribution to this round of this history. */
  #ownHere(): Contribution | undefined {
    return this.#own.find((c) => c.header.round === this.round && this.#isOurs(c));
  }

  // Histories.

  #isOurs(c: Contribution): boolean {
    const { root } = c.header.settled;
    const known = this.#kin.get(root);
    if (known !== undefined) return known;
    const isOurs = belongs(c, this.#view);
    this.#kin.set(root, isOurs);
    return isOurs;
  }

  #watch(c: Contribution): void {
    if (this.#isOurs(c)) return;
    const { root } = c.header.settled;
    this.#rivals.delete(root);
    this.#rivals.set(root, c);
    const [oldest] = this.#rivals.keys();
    if (oldest !== undefined && this.#rivals.size > RIVALS_MAX) this.#rivals.delete(oldest);
  }

  /** The contribution whose history outweighs ours, if there is one. A false settled root alone makes no history. */
  #winner(): Contribution | undefined {
    for (const [root, rival] of this.#rivals) {
      if (sameHistory(rival.view, this.#view)) this.#rivals.delete(root);
      else if (wins(rival.view, this.#view)) return rival;
    }
    return undefined;
  }

  /** Goes over to a history that outweighs ours: all is folded anew, and what was ours alone comes back as residual. */
  #followRival(nowMs: number): boolean {
    const winner = this.#winner();
    if (winner === undefined) return false;
    this.#emit({ kind: "resync", fork: forkOf(winner.view, this.#view), lost: this.settled });
    this.#settledRound = 0;
    this.#settled.clear();
    this.#rivals.clear();
    this.#kin.clear();
    this.#forgetBodies(winner.header.round);
    this.#enter(winner.view, nowMs);
    return true;
  }

  /** Bodies of settled rounds were let go; those around the round that we go on with are asked for again. */
  #forgetBodies(round: number): void {
    this.#held.clear();
    this.#passed.clear();
    for (let r = 0; r < this.graph.roundsCount; r++) {
      for (const contribution of this.graph.round(r)) {
        if (contribution.header.delta === null) this.#hold(contribution.id, true);
        else if (r >= round - 1) this.#emit({ kind: "pull", contribution });
      }
    }
  }

  #emit(effect: Effect): void {
    this.#effects.push(effect);
  }
}

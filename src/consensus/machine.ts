/**
 * One node's part in one phase, as a state machine: events in, effects out. No I/O, no clock (every event carries
 * the time), no randomness, nothing asynchronous: the simulator and the node run exactly this.
 *
 *   enter round R with parents P(R-1)  ->  fold  ->  train (or close)  ->  publish  ->  collect  ->  enter R+1
 *
 * Hurry, collect and jump are measured in the voting weight of the authors of S(R-2) (electorate.ts, turnout.ts):
 *   hurry    half of it has published this round in full: stop training and publish what there is;
 *   collect  ends when all of it is in, and whoever published the last round; or a grace after two thirds; or when
 *            patience ends;
 *   jump     half of it has published a later round in full: go on from there.
 * A node that lacks a body it must fold keeps pulling and skips the round when the others go on without it. Histories
 * that settled differently are kept apart (histories.ts); when another one outweighs ours, we go over to it.
 *
 * Longer than other files, because every stage and every way out of it share one state.
 */
import { type Cid, type ContributionId, type Digest, type PeerId, assert } from "../core/index.ts";
import type { Base } from "./base.ts";
import { electorateOf } from "./electorate.ts";
import { Equivocations } from "./equivocations.ts";
import type { Effect, Event, FoldPlan, SettledState, Trained } from "./events.ts";
import { viewOn } from "./foothold.ts";
import {
  AHEAD_ROUNDS_KNOWN_MAX,
  AHEAD_ROUNDS_MAX,
  ContributionGraph,
  type GraphOptions,
  type Room,
} from "./graph.ts";
import type { Header } from "./header.ts";
import { Holdings } from "./holdings.ts";
import { includedShare } from "./included-share.ts";
import { forkOf } from "./lineage.ts";
import { type Call, Muster } from "./muster.ts";
import { type OrderOptions, draftOf, trainOrder } from "./orders.ts";
import { OwnWork } from "./own-work.ts";
import { chooseParents } from "./parents.ts";
import { endRound, isClosing, isOver, mayTrain } from "./closing.ts";
import { Settling } from "./settling.ts";
import { Support } from "./support.ts";
import { Tempo } from "./tempo.ts";
import type { Contribution, View } from "./view.ts";

/** Most messages of a large flock change nothing. */
const NO_EFFECTS: readonly Effect[] = [];

export interface MachineOptions extends GraphOptions {
  readonly self: PeerId;
  /** Whom to cite, in a phase that not everybody is admitted to; absent: everybody. */
  readonly admits?: (author: PeerId) => boolean;
  /** The successor of the run that we want; null or absent: none. */
  readonly supports?: () => Supported | null;
}

/** A proposed successor that a node names, and goes over to when it is carried in time. */
export interface Supported {
  readonly proposal: Cid;
  /** Carried at a later settled round of the phase it does not count. */
  readonly untilRound: number;
}

export type Stage = "idle" | "waiting" | "folding" | "training" | "publishing" | "collecting" | "finished";

/** Where weights may be changed under the machine: nothing is trained on them. */
const STAGES_TO_STEP: ReadonlySet<Stage> = new Set(["idle", "waiting", "folding", "collecting"]);

export class Machine {
  readonly graph: ContributionGraph;
  readonly #options: MachineOptions;
  readonly #room: Room;
  #stage: Stage = "idle";
  #view: View;
  readonly #muster: Muster;
  readonly #held = new Holdings();
  readonly #own = new OwnWork();
  readonly #equivocations = new Equivocations();
  readonly #support = new Support();
  readonly #tempo: Tempo;
  readonly #settling: Settling;
  #hurried = false;
  /** The phase is over, and we go on in it for the sake of ranking. */
  #isRanking = false;
  /** The phase is over, and nothing is folded or made here any more; only which history it is of still counts. */
  #isObserving = false;
  #effects: Effect[] | undefined;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.graph = new ContributionGraph(options);
    this.#settling = new Settling(options);
    this.#view = this.graph.view(options.base?.round ?? 0, []);
    this.#muster = new Muster(
      {
        self: this.graph.numberOf(options.self),
        holds: (c) => this.#held.holds(c),
        since: (round) => this.#since(round),
      },
      callOf(this.#view),
    );
    this.#room = roomOf(this, options.self);
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
    return this.#own.last;
  }

  /** The newest settled state that was folded. */
  get settled(): SettledState | undefined {
    return this.#settling.newest;
  }

  /** The newest settled state as another machine can start from it; undefined while too little has settled. */
  get base(): Base | undefined {
    return this.#settling.baseIn(this.#view);
  }

  /** The budget is reached: contributions only cite from here on. */
  get isClosing(): boolean {
    return !this.#isRanking && isClosing(this.#view, this.#options.limits);
  }

  /** The phase is over, and we go on in it for the sake of ranking. */
  get isRanking(): boolean {
    return this.#isRanking;
  }

  /** Whether the contribution's body was given, or there is none. */
  holds(id: ContributionId): boolean {
    const contribution = this.graph.get(id);
    return contribution !== undefined && this.#held.holds(contribution);
  }

  handle(event: Event): readonly Effect[] {
    this.#effects = undefined;
    this.#take(event);
    return this.#effects ?? NO_EFFECTS;
  }

  #take(event: Event): void {
    switch (event.kind) {
      case "header":
        this.#takeHeader(event.id, event.header, event.nowMs);
        break;
      case "body":
        if (event.foldable ?? event.passed !== false) this.#hold(event.id, event.passed);
        break;
      case "foothold":
        this.#stepOnto(event.state, event.nowMs);
        break;
      case "begin":
        if (this.#stage === "idle") this.#begin(event.nowMs);
        break;
      case "folded":
        if (this.#stage === "folding" && event.round === this.round) this.#takeFolded(event, event.nowMs);
        break;
      case "trained":
        if (this.#stage === "training" && event.round === this.round)
          this.#takeTrained(event.result, event.nowMs);
        break;
      case "rank":
        if (this.#stage === "finished") this.#rank(event.nowMs);
        break;
      case "observe":
        this.#isObserving = true;
        this.#stage = "finished";
        break;
      case "tick":
        break;
    }
    this.#goOn(event.nowMs);
  }

  #takeHeader(id: ContributionId, header: Header, nowMs: number): void {
    const { self } = this.#options;
    const admission = this.graph.add(id, header, this.#room);
    if (admission.kind === "waiting") {
      if (admission.missing.length > 0) this.#emit({ kind: "want", ids: admission.missing });
      return;
    }
    if (admission.kind !== "added") return this.#emit({ kind: "refuse", id, why: admission });
    for (const contribution of admission.contributions) {
      this.#emit({ kind: "admit", contribution });
      if (contribution.header.author === self) this.#own.take(contribution);
      this.#held.link(contribution);
      if (contribution.header.delta === null) this.#held.hold(contribution, true);
      // Before the work begins nobody knows from where on bodies are needed.
      else if (this.#stage !== "idle") this.#pull(contribution);
      const twin = this.graph.twinOf(contribution);
      if (twin !== undefined) this.#equivocations.take(twin, contribution);
      this.#muster.take(contribution);
    }
    if (header.author === self && header.round === this.round && this.#stage === "publishing") {
      this.#hold(id, true);
      this.#startCollecting(nowMs);
    }
  }

  #hold(id: ContributionId, passed: boolean | null): void {
    const contribution = this.graph.get(id);
    if (contribution === undefined) return this.#held.holdEarly(id, passed);
    this.#held.hold(contribution, passed);
    this.#muster.take(contribution);
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
        if (this.#muster.turnout.isOutrun) this.#startCollecting(nowMs);
        else if (this.#held.missing(this.#view, this.#settling.round).length === 0) this.#fold();
        break;
      case "training":
        if (
          !this.#hurried &&
          (this.#muster.turnout.isHalfHere || this.#muster.winner(this.#view) !== undefined)
        ) {
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

  #pull(contribution: Contribution): void {
    if (this.#isObserving || contribution.header.round < this.#settling.round) return;
    if (this.#held.holds(contribution)) return;
    this.#emit({ kind: "pull", contribution });
  }

  // Beginning.

  #begin(nowMs: number): void {
    for (const contribution of this.#since(this.#settling.round)) this.#pull(contribution);
    this.#enter(this.#view, nowMs);
  }

  /** Before the work begins, or where bodies that it needs can't be had any more. */
  #stepOnto(state: SettledState, nowMs: number): void {
    const isOpen = STAGES_TO_STEP.has(this.#stage);
    const view = viewOn(this.graph, state, this.#options);
    if (!isOpen || view === undefined || state.round <= this.#settling.round) return;
    this.#settling.stepOnto(state);
    const isAhead = this.#view.settledRound >= state.round && this.#view.lineage.agrees(view.lineage);
    if (this.#stage === "idle") this.#view = view;
    else this.#enter(isAhead ? this.#view : view, nowMs);
  }

  // Entering a round.

  #enter(view: View, nowMs: number): void {
    this.#view = view;
    this.#muster.enter(callOf(view));
    if (this.#isObserving) {
      this.#stage = "finished";
      return;
    }
    this.#tempo.included(includedShare(view, this.#checked(this.round - 2)));
    if (
      this.#ownHere() !== undefined ||
      this.#muster.turnout.isOutrun ||
      view.settledRound < this.#settling.round
    )
      return this.#startCollecting(nowMs);
    this.#stage = "waiting";
    for (const contribution of this.#held.missing(view, this.#settling.round)) this.#pull(contribution);
  }

  #fold(): void {
    this.#stage = "folding";
    const rounds: FoldPlan["rounds"][number][] = [];
    for (let r = this.#settling.round; r < this.round; r++)
      rounds.push({ round: r, terms: this.#view.terms(r) });
    const settledRound = this.#settledRoundNow();
    this.#emit({
      kind: "fold",
      plan: { round: this.round, from: this.#settling.round, settledRound, rounds },
    });
  }

  /**
   * The settled round at which we leave for the successor that we support; undefined: it is not carried, not in time, or
   * only after the phase's end.
   */
  get leavesAt(): number | undefined {
    const supported = this.#options.supports?.() ?? null;
    if (supported === null || this.#isRanking) return undefined;
    const { limits } = this.#options;
    const at = this.#support.carriedAt(this.#view, supported.proposal);
    const last = isOver(this.#view, limits) ? endRound(this.#view, limits) : Infinity;
    return at !== undefined && at <= Math.min(supported.untilRound, last) ? at : undefined;
  }

  #settledRoundNow(): number {
    return (
      this.leavesAt ?? (this.#isOver() ? endRound(this.#view, this.#options.limits) : this.#view.settledRound)
    );
  }

  #isOver(): boolean {
    return (!this.#isRanking && isOver(this.#view, this.#options.limits)) || this.leavesAt !== undefined;
  }

  #rank(nowMs: number): void {
    this.#isRanking = true;
    this.#enter(this.#view, nowMs);
  }

  #takeFolded(folded: { settledWeights: Digest }, nowMs: number): void {
    const { state: settled, isNews } = this.#settling.settle(
      this.#view,
      this.#settledRoundNow(),
      folded.settledWeights,
    );
    if (isNews) this.#emit({ kind: "settled", state: settled });
    if (this.#isOver()) {
      this.#stage = "finished";
      const { round } = this.#settling;
      return this.#emit({ kind: "finished", round, leaves: this.leavesAt === round });
    }
    // Half has gone on while we folded, as it does where a newcomer catches up: what we could train would come too late.
    if (this.#muster.turnout.isOutrun) return this.#startCollecting(nowMs);
    this.#stage = "training";
    this.#hurried = false;
    this.#tempo.startTraining(this.round, nowMs);
    this.#emit({ kind: "train", order: trainOrder(this.#view, this.#orderOptions(settled)) });
  }

  #orderOptions(settled: SettledState): OrderOptions {
    const { self } = this.#options;
    return { phase: this.#options, self, own: this.#own, settled, isRanking: this.#isRanking };
  }

  // Publishing.

  #takeTrained(result: Trained, nowMs: number): void {
    // Ours of this round came back to us, after a crash: there is never a second one.
    if (this.#ownHere() !== undefined) return this.#startCollecting(nowMs);
    const { settled } = this;
    assert(settled !== undefined, "who has trained has folded before");
    if (result.delta !== null) this.#tempo.endTraining(nowMs);
    this.#stage = "publishing";
    const draft = draftOf(this.#view, this.#orderOptions(settled), {
      result,
      evidence: this.#equivocations.evidence(this.#view),
      supports: this.#options.supports?.()?.proposal ?? null,
    });
    this.#emit({ kind: "publish", draft });
  }

  // Collecting.

  #startCollecting(nowMs: number): void {
    this.#stage = "collecting";
    this.#tempo.startCollecting(nowMs);
  }

  #collect(nowMs: number): void {
    // What the gates have yet to judge is here, and they are at it: nothing else is waited for.
    if (!this.#hasCollected(nowMs) || this.#isJudging()) return;
    const { limits, admits = () => true } = this.#options;
    const settledHere = this.#settling.at(this.#view.settledRound)?.root;
    const candidates = this.#checked(this.round).filter(
      ({ header, view }) => admits(header.author) && (header.delta === null || mayTrain(view, limits)),
    );
    const parents = chooseParents(candidates, this.#view, settledHere);
    if (parents.length === 0) return;
    // Who goes on in a phase that is over may be the only one, and outruns nobody.
    if (!this.#isRanking) {
      if (this.#tempo.isOverdue(nowMs)) this.#emit({ kind: "overdue", round: this.round });
      this.#tempo.endCollecting(nowMs);
    }
    this.#enter(this.graph.view(this.round + 1, parents), nowMs);
  }

  #hasCollected(nowMs: number): boolean {
    const { turnout } = this.#muster;
    if (turnout.isHalfLater) return true;
    const own = this.#ownHere();
    const withSelf = own !== undefined;
    const hasTrained = own !== undefined && own.header.delta !== null;
    if (turnout.hasTwoThirds(withSelf)) this.#tempo.gather(this.round, hasTrained, nowMs);
    if (this.round === 0 && this.#options.firstVoters === undefined) {
      // Round 0 of a run waits for everybody: there is no history that could go on without them, and who founds the run
      // would leave out whoever is not as fast.
      const authorsCount = turnout.authorsCount + (withSelf ? 0 : 1);
      return authorsCount >= this.#options.rule.startPeers && turnout.hasAll(withSelf);
    }
    if (turnout.hasAll(withSelf)) return true;
    const untilMs = this.#tempo.collectUntilMs;
    if (nowMs >= untilMs) return true;
    this.#emit({ kind: "wake", atMs: untilMs });
    return false;
  }

  #isJudging(): boolean {
    return this.graph.round(this.round).some((c) => this.#held.isUndecided(c));
  }

  /** What may be cited of a round: the body passed, and it is of our history. */
  #checked(round: number): Contribution[] {
    return this.graph.round(round).filter((c) => this.#held.hasPassed(c) && this.#muster.isOurs(c));
  }

  /** Our own contribution to this round of this history. */
  #ownHere(): Contribution | undefined {
    return this.#own.in(this.round, this.#view.lineage);
  }

  // Histories.

  /** Goes over to a history that outweighs ours: all is folded anew, and what was ours alone comes back as residual. */
  #followRival(nowMs: number): boolean {
    const winner = this.#muster.winner(this.#view);
    if (winner === undefined) return false;
    const fork = forkOf(winner.view.lineage, this.#view.lineage);
    this.#emit({ kind: "resync", fork, lost: this.settled });
    this.#settling.restart(fork);
    this.#muster.forgetRivals();
    this.#forgetBodies(winner.header.round);
    this.#enter(winner.view, nowMs);
    return true;
  }

  /** Bodies of settled rounds were let go; those around the round that we go on with are asked for again. */
  #forgetBodies(round: number): void {
    this.#held.clear();
    for (let r = 0; r < this.graph.roundsCount; r++) {
      for (const contribution of this.graph.round(r)) {
        if (contribution.header.delta === null) this.#held.hold(contribution, true);
        else if (r >= round - 1) this.#pull(contribution);
      }
    }
  }

  *#since(round: number): Generator<Contribution> {
    for (let r = round; r < this.graph.roundsCount; r++) yield* this.graph.round(r);
  }

  #emit(effect: Effect): void {
    (this.#effects ??= []).push(effect);
  }
}

function callOf(view: View): Call {
  return { round: view.round, lineage: view.lineage, electorate: electorateOf(view) };
}

/** Before the work begins all history is taken. */
function roomOf(machine: Machine, self: PeerId): Room {
  const ahead = (rounds: number): number => (machine.stage === "idle" ? Infinity : machine.round + rounds);
  return {
    isKnown: (author) => author === self || machine.view.weightOf(author) > 0,
    get roundMax() {
      return ahead(AHEAD_ROUNDS_MAX);
    },
    get roundMaxKnown() {
      return ahead(AHEAD_ROUNDS_KNOWN_MAX);
    },
  };
}

/**
 * The settled state that a node folds from when it has the headers of all rounds: after a restart its own newest, if the
 * history that weighs most names it and its file is whole; where bodies of the rounds since are nowhere to be had, or the
 * flock is far ahead, the newest that a peer holds (states-ahead.ts). Of a phase that is over it is what the phase ended
 * with, and nothing later. Without any it folds from the phase's start.
 */
import {
  type ContributionGraph,
  type Rule,
  type PhaseLimits,
  type Settled,
  type SettledState,
  phaseEndIn,
  settledStates,
  viewOn,
} from "../../consensus/index.ts";
import { type Clock, type Logger, type PeerId, type RunId, assert } from "../../core/index.ts";
import type { Swarm } from "../../gossip/index.ts";
import type { BlockStore, ServedCheckpoints } from "../../storage/index.ts";
import type { LearnerClient } from "../learner/client.ts";
import { BODIES_KEPT_ROUNDS } from "../disk/retention.ts";
import { decodeBase } from "./base-record.ts";
import { tryBase } from "./pull-base.ts";
import { type Ahead, SOME, statesAhead } from "./states-ahead.ts";
import { takeBase } from "./take-base.ts";

export interface FootholdsDeps {
  readonly run: RunId;
  readonly phase: number;
  readonly rule: Rule;
  readonly limits: PhaseLimits;
  readonly self: PeerId;
  /** 4 P. */
  readonly weightsBytes: number;
  readonly learner: LearnerClient["learner"];
  readonly served: ServedCheckpoints;
  readonly swarm: Swarm;
  readonly blocks: BlockStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Looks around before history is folded from the phase's start after all. Guess. */
const LOOKS_MAX = 3;
const LOOK_PAUSE_MS = 1_000;

export class Footholds {
  readonly #deps: FootholdsDeps;

  constructor(deps: FootholdsDeps) {
    this.#deps = deps;
  }

  /**
   * Before the work begins; the learner has its weights then. `isJoining`: by an address, so bodies of before are not wanted.
   * `sinceRound`: of the address.
   */
  async first(
    graph: ContributionGraph,
    { isJoining, sinceRound }: { isJoining: boolean; sinceRound: number },
  ): Promise<SettledState | undefined> {
    const saved = this.#own(graph);
    const trustedRound = Math.max(saved[0]?.round ?? 0, sinceRound);
    const end = this.#endIn(graph, trustedRound);
    const atEnd = end && ((await this.#savedEnd(end)) ?? (await this.#pulled(end)));
    if (atEnd !== undefined) return atEnd;
    const own = saved.filter(({ round }) => round <= (end?.round ?? Infinity));
    const aboveRound = own[0]?.round ?? 0;
    const [newest] = settledStates(graph, { share: SOME, sinceRound: trustedRound });
    if (newest === undefined) return undefined;
    if (newest.round - aboveRound > BODIES_KEPT_ROUNDS || (isJoining && own.length === 0)) {
      const wanted = { aboveRound, sinceRound: trustedRound, share: "some" } as const;
      const pulled = await this.#patiently(() => this.ahead(graph, wanted));
      if (pulled !== undefined) return pulled;
    }
    for (const { round } of own) {
      const state = await this.#saved(round);
      if (state !== undefined) return state;
    }
    if (own.length === 0 && !isJoining) return undefined;
    return this.ahead(graph, { aboveRound: 0, sinceRound, share: "any" });
  }

  /** The first of those wanted that a peer holds, once it is the learner's. */
  async ahead(
    graph: ContributionGraph,
    { isRanking = false, ...wanted }: Omit<Ahead, "endRound"> & { readonly isRanking?: boolean },
  ): Promise<SettledState | undefined> {
    const end = isRanking ? undefined : this.#endIn(graph, wanted.sinceRound);
    for (const settled of statesAhead(graph, { ...wanted, ...(end && { endRound: end.round }) })) {
      if (this.#deps.signal.aborted) return undefined;
      const state = await this.#pulled(settled);
      if (state !== undefined) return state;
    }
    return undefined;
  }

  async #pulled({ round, root }: Settled): Promise<SettledState | undefined> {
    const { phase, log } = this.#deps;
    const pulled = await tryBase({ ...this.#deps, wanted: { phase, round, root } });
    const state = pulled && (await takeBase(pulled, this.#deps));
    if (state !== undefined) log.info("going on from a settled state of peers", { phase, round, root });
    return state;
  }

  #endIn(graph: ContributionGraph, sinceRound: number): Settled | undefined {
    const { isRung, tokensBudget } = this.#deps.limits;
    return isRung === true ? phaseEndIn(graph, tokensBudget, { share: SOME, sinceRound }) : undefined;
  }

  async #savedEnd(end: Settled): Promise<SettledState | undefined> {
    const { learner, phase, log } = this.#deps;
    const record = await learner.startFromEnd({ phase, ...end });
    if (record !== undefined) log.info("going on from what the phase ended with", { phase, ...end });
    return record && this.#stateIn(record);
  }

  /** A busy flock may have gone on to newer states before the one that we asked for was whole. */
  async #patiently(look: () => Promise<SettledState | undefined>): Promise<SettledState | undefined> {
    const { clock, signal } = this.#deps;
    for (let attempt = 1; ; attempt++) {
      const state = await look();
      if (state !== undefined || attempt === LOOKS_MAX || signal.aborted) return state;
      await clock.sleep(LOOK_PAUSE_MS, signal);
    }
  }

  /** Our own checkpoints that the history to be followed names, the newest first. */
  #own(graph: ContributionGraph): readonly { readonly round: number }[] {
    const { served, phase } = this.#deps;
    const roots = new Map([...settledStates(graph)].map(({ round, root }) => [round, root]));
    return served
      .states()
      .filter((state) => state.phase === phase && roots.get(state.round) === state.root)
      .filter((state) => viewOn(graph, state, this.#deps) !== undefined)
      .toSorted((a, b) => b.round - a.round);
  }

  async #saved(round: number): Promise<SettledState | undefined> {
    const { learner, phase, log } = this.#deps;
    const record = await learner.startFromSaved({ phase, round });
    if (record === undefined) {
      log.warn("our checkpoint is damaged: looking for another", { round });
      return undefined;
    }
    log.info("going on from our own checkpoint", { phase, round });
    return this.#stateIn(record);
  }

  #stateIn(record: Uint8Array): SettledState {
    const decoded = decodeBase(record, this.#deps);
    assert(decoded.kind === "accept", "a sealed record is one");
    return decoded.value.base;
  }
}

/**
 * The settled state that a node folds from when it has the headers of all rounds: after a restart its own newest, if the
 * history that weighs most names it and its file is whole; where bodies of the rounds since are nowhere to be had, the
 * newest that a peer holds. Without either it folds from the phase's start.
 */
import {
  type ContributionGraph,
  type Rule,
  type SettledState,
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
import { takeBase } from "./take-base.ts";

export interface FootholdsDeps {
  readonly run: RunId;
  readonly phase: number;
  readonly rule: Rule;
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

  /** Before the work begins; the learner has its weights then. `isJoining`: by an address, so bodies of before are not wanted. */
  async first(graph: ContributionGraph, o: { isJoining: boolean }): Promise<SettledState | undefined> {
    const [newest] = settledStates(graph);
    if (newest === undefined) return undefined;
    const own = this.#own(graph);
    const isBehind = newest.round - (own[0]?.round ?? 0) > BODIES_KEPT_ROUNDS;
    if (isBehind || (o.isJoining && own.length === 0)) {
      const pulled = await this.#patiently(() => this.ahead(graph, own[0]?.round ?? 0));
      if (pulled !== undefined) return pulled;
    }
    for (const { round } of own) {
      const state = await this.#saved(round);
      if (state !== undefined) return state;
    }
    return own.length === 0 ? undefined : this.ahead(graph, 0);
  }

  /** The newest above a round that a peer holds, once it is the learner's. */
  async ahead(graph: ContributionGraph, aboveRound: number): Promise<SettledState | undefined> {
    const { phase, log, signal } = this.#deps;
    const [newest] = settledStates(graph);
    for (const { round, root } of settledStates(graph)) {
      if (signal.aborted || round <= aboveRound) break;
      // Nobody keeps those of before: the last few are served.
      if (round < (newest?.round ?? 0) - BODIES_KEPT_ROUNDS) break;
      const pulled = await tryBase({ ...this.#deps, wanted: { phase, round, root } });
      const state = pulled && (await takeBase(pulled, this.#deps));
      if (state === undefined) continue;
      log.info("going on from a settled state of peers", { round, root });
      return state;
    }
    return undefined;
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
    const decoded = decodeBase(record, this.#deps);
    assert(decoded.kind === "accept", "a sealed record is one");
    log.info("going on from our own checkpoint", { round });
    return decoded.value.base;
  }
}

/**
 * What a node does for its run without training (`--role serve`): it holds the run's data, headers and deltas, passes
 * headers on, and gives all of it to whoever asks. It folds nothing, so it needs a fraction of the memory; it makes no
 * contributions, so it has no weight. Of a ladder it holds the first phase.
 *
 * Its machine is one that never begins: it takes every header that is well-formed, and does nothing else.
 */
import {
  type Contribution,
  type Effect,
  type Header,
  Machine,
  type MachineOptions,
} from "../../consensus/index.ts";
import {
  type Cid,
  type Clock,
  type ContributionId,
  type Logger,
  type PeerId,
  type RunId,
  accept,
  pause,
} from "../../core/index.ts";
import { type Swarm, contributionsTopic } from "../../gossip/index.ts";
import type { Store } from "../../storage/index.ts";
import { Bodies } from "./bodies.ts";
import { BODIES_KEPT_ROUNDS, bodiesToDrop } from "../disk/retention.ts";
import { HeaderIntake, keepHeader } from "./header-intake.ts";
import { HeaderSync } from "./header-sync.ts";
import { Tasks } from "./tasks.ts";

const SYNC_MS = 2_000;

export interface HoldingDeps {
  readonly options: MachineOptions;
  readonly run: RunId;
  readonly store: Store;
  readonly swarm: Swarm;
  /** The most bytes that a delta can have after so many settled tokens. */
  deltaBytesMaxAt(settledTokens: number): number;
  /** Bodies whose time is over. */
  retire(bodies: readonly Cid[]): Promise<void> | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called whenever something may have changed. */
  changed(): void;
  fail(error: unknown): void;
}

export interface HoldingStatus {
  readonly contributions: number;
  /** Deltas that are still to come. */
  readonly missing: number;
}

export class Holding {
  readonly #deps: HoldingDeps;
  readonly #machine: Machine;
  readonly #stopping = new AbortController();
  readonly #bodies: Bodies;
  readonly #intake: HeaderIntake;
  readonly #sync: HeaderSync;
  readonly #topic: string;
  readonly #tasks: Tasks;
  /** Rounds below have no bodies of theirs any more. */
  #retiredUntil = 0;
  #contributionsCount = 0;
  #stopListening: () => void = () => undefined;
  /** What history needs, until we know how long it is: then only the newest of it is asked for. */
  #wanted: Map<ContributionId, Contribution> | undefined = new Map();

  constructor(deps: HoldingDeps) {
    const { options, run, swarm, store, clock, log } = deps;
    const { signal } = this.#stopping;
    this.#deps = deps;
    this.#tasks = new Tasks({ signal, fail: (error) => deps.fail(error) });
    this.#machine = new Machine(options);
    this.#topic = contributionsTopic(run, options.phase);
    const { graph } = this.#machine;
    this.#bodies = new Bodies({
      swarm,
      graph,
      clock,
      log,
      signal,
      blocks: store.blocks,
      bytesMax: ({ view }) => deps.deltaBytesMaxAt(view.settledTokens()),
      // That the bytes are those that the author meant, their hash says; what they are worth, those who fold them.
      hold: ({ header }) => Promise.resolve(accept(header.delta?.norm ?? 0)),
      lacking: () => undefined,
      settle: ({ id }, { kind }) => void this.#handle({ kind: "body", id, passed: kind === "accept" }),
    });
    this.#intake = new HeaderIntake({
      graph,
      roundNow: () => this.round,
      take: (id, header) => this.#handle({ kind: "header", id, header }),
    });
    this.#sync = new HeaderSync({
      swarm,
      clock,
      log,
      signal,
      phase: options.phase,
      intervalMs: () => SYNC_MS,
      roundNow: () => graph.roundsCount,
      missing: () => graph.missing(),
      receive: (bytes) => this.#intake.receive(bytes),
    });
  }

  status(): HoldingStatus {
    const { graph } = this.#machine;
    let missing = 0;
    for (let round = this.#firstRound; round < graph.roundsCount; round++)
      for (const { id } of graph.round(round)) missing += Number(!this.#machine.holds(id));
    return { contributions: this.#contributionsCount, missing };
  }

  /** Of which deltas are held. */
  get #firstRound(): number {
    return Math.max(0, this.#settledRound - BODIES_KEPT_ROUNDS);
  }

  /** About as far as those who fold have settled. */
  get #settledRound(): number {
    const { rule } = this.#deps.options;
    return this.#machine.graph.roundsCount - rule.settleDepth;
  }

  /** The newest round that somebody has published in; 0 before any. */
  get round(): number {
    return Math.max(0, this.#machine.graph.roundsCount - 1);
  }

  /** What is on our disk, then what peers have. */
  async start(): Promise<void> {
    const { swarm, store, options } = this.#deps;
    for await (const bytes of store.contributions.all(options.phase)) await this.#intake.receive(bytes);
    swarm.topic(this.#topic, (bytes) => this.#intake.hear(bytes));
    for (const peer of swarm.peers()) this.#tasks.spawn(this.#meet(peer));
    this.#stopListening = swarm.onPeer((peer) => this.#tasks.spawn(this.#meet(peer)));
    this.#tasks.spawn(this.#sync.run());
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the node is stopping"));
    this.#stopListening();
    this.#deps.swarm.leave(this.#topic);
    await this.#bodies.idle();
    await this.#tasks.ended();
  }

  async #meet(peer: PeerId): Promise<void> {
    const { swarm, clock } = this.#deps;
    const { signal } = this.#stopping;
    while (!(await this.#sync.catchUp(peer, 0))) {
      // A busy peer is asked again, for as long as it is one of ours.
      if (!(await pause(clock, SYNC_MS, signal)) || !swarm.peers().includes(peer)) return;
    }
    if (this.#wanted === undefined) return;
    const wanted = [...this.#wanted.values()];
    this.#wanted = undefined;
    for (const contribution of wanted)
      if (contribution.header.round >= this.#firstRound) this.#pull(contribution);
  }

  #handle(
    event:
      | { kind: "header"; id: ContributionId; header: Header }
      | { kind: "body"; id: ContributionId; passed: boolean },
  ): readonly Effect[] {
    const effects = this.#machine.handle({ ...event, nowMs: this.#deps.clock.nowMs() });
    for (const effect of effects) {
      if (effect.kind === "admit") this.#admit(effect.contribution);
      if (effect.kind === "want") this.#tasks.spawn(this.#want());
    }
    this.#retire();
    this.#deps.changed();
    return effects;
  }

  #retire(): void {
    const from = this.#retiredUntil;
    const { until, bodies } = bodiesToDrop(this.#machine.graph, { from, settledRound: this.#settledRound });
    this.#retiredUntil = until;
    if (bodies.length > 0) this.#tasks.spawn(Promise.resolve(this.#deps.retire(bodies)));
  }

  /** Its delta is asked for now, or when the length of history is known. */
  #admit(contribution: Contribution): void {
    this.#contributionsCount += 1;
    this.#tasks.spawn(keepHeader(this.#deps.store, contribution));
    if (contribution.header.delta === null) return;
    if (this.#wanted === undefined) this.#pull(contribution);
    else this.#wanted.set(contribution.id, contribution);
  }

  #pull(contribution: Contribution): void {
    this.#bodies.pull(contribution, (error) => this.#deps.fail(error));
  }

  async #want(): Promise<void> {
    const [peer] = this.#deps.swarm.peers();
    if (peer !== undefined) await this.#sync.fetchMissing(peer);
  }
}

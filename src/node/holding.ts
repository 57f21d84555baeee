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
  encodeHeader,
} from "../consensus/index.ts";
import {
  type Cid,
  type Clock,
  type ContributionId,
  type Logger,
  type PeerId,
  type RunId,
  type Verdict,
  accept,
} from "../core/index.ts";
import { type Swarm, contributionsTopic } from "../gossip/index.ts";
import type { Store } from "../storage/index.ts";
import { Bodies } from "./bodies.ts";
import { HeaderSync } from "./header-sync.ts";
import { verifyHeader } from "./identity.ts";

const SYNC_MS = 2_000;
/** After so many rounds behind the settled one nobody need have a delta any more (docs/design.md, section 7). */
const BODY_ROUNDS = 64;

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
  readonly #sync: HeaderSync;
  readonly #topic: string;
  readonly #tasks = new Set<Promise<void>>();
  #retiredRound = 0;
  #stopListening: () => void = () => undefined;
  /** What history needs, until we know how long it is: then only the newest of it is asked for. */
  #wanted: Map<ContributionId, Contribution> | undefined = new Map();

  constructor(deps: HoldingDeps) {
    const { options, run, swarm, store, clock, log } = deps;
    const { signal } = this.#stopping;
    this.#deps = deps;
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
    this.#sync = new HeaderSync({
      swarm,
      clock,
      log,
      signal,
      phase: options.phase,
      intervalMs: () => SYNC_MS,
      roundNow: () => graph.roundsCount,
      missing: () => graph.missing(),
      receive: async (bytes) => {
        const verdict = await this.#receive(bytes);
        return verdict.kind === "accept" ? verdict.value : undefined;
      },
    });
  }

  status(): HoldingStatus {
    let contributions = 0;
    let missing = 0;
    for (const { id, header } of this.#all()) {
      contributions += 1;
      if (header.round >= this.#firstRound && !this.#machine.holds(id)) missing += 1;
    }
    return { contributions, missing };
  }

  /** Of which deltas are held. */
  get #firstRound(): number {
    const { rule } = this.#deps.options;
    return Math.max(0, this.#machine.graph.roundsCount - rule.settleDepth - BODY_ROUNDS);
  }

  /** The newest round that somebody has published in; 0 before any. */
  get round(): number {
    return Math.max(0, this.#machine.graph.roundsCount - 1);
  }

  /** What is on our disk, then what peers have. */
  async start(): Promise<void> {
    const { swarm, store, options } = this.#deps;
    for await (const bytes of store.contributions.all(options.phase)) await this.#receive(bytes);
    swarm.topic(this.#topic, (bytes) => this.#receive(bytes));
    for (const peer of swarm.peers()) this.#spawn(this.#meet(peer));
    this.#stopListening = swarm.onPeer((peer) => this.#spawn(this.#meet(peer)));
    this.#spawn(this.#sync.run());
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the node is stopping"));
    this.#stopListening();
    this.#deps.swarm.leave(this.#topic);
    await this.#bodies.idle();
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  async #meet(peer: PeerId): Promise<void> {
    const { swarm, clock } = this.#deps;
    const { signal } = this.#stopping;
    while (!(await this.#sync.catchUp(peer, 0))) {
      // A busy peer is asked again, for as long as it is one of ours.
      await clock.sleep(SYNC_MS, signal).catch(() => undefined);
      if (signal.aborted || !swarm.peers().includes(peer)) return;
    }
    if (this.#wanted === undefined) return;
    const wanted = [...this.#wanted.values()];
    this.#wanted = undefined;
    for (const contribution of wanted)
      if (contribution.header.round >= this.#firstRound) this.#pull(contribution);
  }

  /** From gossip, a peer's answer or our disk. The value is the header's round. */
  async #receive(bytes: Uint8Array): Promise<Verdict<number>> {
    const verified = await verifyHeader(bytes);
    if (verified.kind !== "accept") return verified;
    const { id, header } = verified.value;
    const refusal = this.#handle({ kind: "header", id, header }).find(
      (effect) => effect.kind === "refuse" && effect.id === id,
    );
    if (refusal?.kind !== "refuse" || refusal.why.code === "HEADER_KNOWN") return accept(header.round);
    return refusal.why;
  }

  #handle(
    event:
      | { kind: "header"; id: ContributionId; header: Header }
      | { kind: "body"; id: ContributionId; passed: boolean },
  ): readonly Effect[] {
    const effects = this.#machine.handle({ ...event, nowMs: this.#deps.clock.nowMs() });
    for (const effect of effects) {
      if (effect.kind === "admit") this.#admit(effect.contribution);
      if (effect.kind === "want") this.#spawn(this.#want());
    }
    this.#retire();
    this.#deps.changed();
    return effects;
  }

  #retire(): void {
    for (; this.#retiredRound < this.#firstRound; this.#retiredRound++) {
      const round = this.#machine.graph.round(this.#retiredRound);
      const bodies = round.flatMap(({ header }) => header.delta?.cid ?? []);
      this.#spawn(Promise.resolve(this.#deps.retire(bodies)));
    }
  }

  /** Its delta is asked for now, or when the length of history is known. */
  #admit(contribution: Contribution): void {
    this.#spawn(this.#keep(contribution));
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

  async #keep({ id, header }: Contribution): Promise<void> {
    const { sig, ...unsigned } = header;
    const { bytes } = encodeHeader(unsigned, sig);
    await this.#deps.store.contributions.put({ phase: header.phase, round: header.round, id, bytes });
  }

  *#all(): Generator<Contribution> {
    const { graph } = this.#machine;
    for (let round = 0; round < graph.roundsCount; round++) yield* graph.round(round);
  }

  #spawn(task: Promise<void>): void {
    const tracked = task
      .catch((error: unknown) => {
        // While stopping, what is cut off may fail; otherwise the node cannot go on.
        if (!this.#stopping.signal.aborted) this.#deps.fail(error);
      })
      .finally(() => this.#tasks.delete(tracked));
    this.#tasks.add(tracked);
  }
}

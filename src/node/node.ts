/**
 * A node: its data folder, its place in the swarm and its part in the run, started in that order and stopped in reverse.
 * The only place where the rooms meet.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import {
  type Cid,
  type PeerId,
  type RunId,
  StarlingError,
  messageOf,
  silentLog,
  stopAll,
} from "../core/index.ts";
import type { Snapshot } from "../dashboard/index.ts";
import type { PresenceSource, Swarm } from "../gossip/index.ts";
import { type Store, openStore, writeFiles } from "../storage/index.ts";
import type { GenerateOptions } from "../trainer/index.ts";
import { type CreditsPage, creditsPage } from "./credits/credits.ts";
import { Evaluations } from "./model/evaluations.ts";
import { type NodeEmitter, createEmitter } from "./events.ts";
import { type Until, farewell } from "./round/farewell.ts";
import { type Manifest, decodeManifest, encodeManifest, runIdOf } from "./run/manifest.ts";
import type { Evaluation } from "./model/measure.ts";
import { checkNetworkKey, storedNetworkKey } from "./keys/network-key.ts";
import { createNetwork } from "./network/network.ts";
import { type NodeDeps, type NodeOptions, type NodeSettings, nodeSettings } from "./node-options.ts";
import { type NodeParts, type PartsOwner, nodeParts } from "./node-parts.ts";
import { statusOf } from "./node-status.ts";
import { STATUS_FILE } from "./offline/offline.ts";
import { Participation, admitOnly } from "./participation.ts";
import { SettledModel, type SettledWeights, notReady } from "./model/settled-model.ts";
import type { RunListing } from "./runs/listing.ts";
import { lookForRuns } from "./runs/look.ts";
import { ownPresence, ownSightings } from "./runs/own.ts";
import { signPresence } from "./runs/presence.ts";
import type { StarlingNode } from "./starling-node.ts";
import type { NodeStatus } from "./status.ts";
import type { At, ProposalStatus, Succession } from "./succession/succession.ts";

/** What `pausedWhy` says after `starling pause`. */
const BY_HAND = "by hand";

/** A node whose data folder is open; `start` connects it and begins. Throws the storage room's errors. */
export async function createNode(options: NodeOptions, deps: NodeDeps = {}): Promise<StarlingNode> {
  const run = typeof options.run === "string" ? options.run : runIdOf(options.run);
  const store = await openStore(options.dataDir, { run, log: deps.log ?? silentLog });
  return new Node(nodeSettings(options), run, store, deps);
}

class Node implements StarlingNode {
  readonly name = "node";
  readonly peerId: PeerId;
  readonly events: NodeEmitter = createEmitter();
  readonly finished: Promise<void>;
  readonly #options: NodeSettings;
  readonly #run: RunId;
  readonly #parts: NodeParts;
  readonly #deps: NodeDeps;
  readonly #stopping = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #delay: ReturnType<typeof monitorEventLoopDelay> = monitorEventLoopDelay({ resolution: 10 });
  readonly #model: SettledModel;
  readonly #evaluations: Evaluations | undefined;
  readonly #diskFull: Record<"node" | "learner", string | null> = { node: null, learner: null };
  readonly #end: PromiseWithResolvers<void> = Promise.withResolvers();
  #life: "starting" | "running" | "stopped" = "starting";
  #swarm: Swarm | undefined;
  #participation: Participation | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: NodeSettings, run: RunId, store: Store, deps: NodeDeps) {
    this.#options = options;
    this.#run = run;
    this.#deps = deps;
    this.peerId = store.peerId;
    const owner: PartsOwner = {
      signal: this.#stopping.signal,
      load: () => {
        const { tokensPerSecond, bytesIn, bytesOut } = this.status();
        return { tokensPerSecond, bytesIn, bytesOut };
      },
      swarm: () => this.#swarm,
      diskFull: (lack) => this.#noteDisk("node", lack),
      changed: () => this.#changed(),
      fail: this.#end.reject,
    };
    this.#parts = nodeParts(options, { store, deps, owner });
    this.#model = new SettledModel({
      run,
      participation: () => this.#participation,
      status: () => this.status(),
    });
    const { evaluate } = deps;
    if (evaluate !== undefined) {
      const { events: emitter } = this;
      this.#evaluations = new Evaluations({ evaluate, model: this.#model, emitter, log: this.#parts.log });
    }
    this.finished = this.#end.promise;
    // Whoever awaits it gets the error; a node that nobody awaits must not end the process.
    this.finished.catch(() => undefined);
  }

  /** Resolves once the node can be reached; the rest (data, history, rounds) goes on by itself. */
  async start(): Promise<void> {
    this.#parts.engine.take();
    const { store } = this.#parts;
    const manifest = await this.#manifestAtHand();
    const networkKey = await storedNetworkKey(store.dir);
    if (manifest !== undefined) checkNetworkKey(manifest, networkKey);
    const participation = this.#createParticipation(manifest);
    this.#participation = participation;
    await this.#parts.served.refresh();
    await this.#parts.conditions.start();
    const swarm = await createNetwork(this.#options, {
      run: this.#run,
      networkKey,
      store,
      served: this.#parts.served,
      line: this.#parts.line,
      log: this.#parts.log,
      clock: this.#parts.clock,
      metrics: this.#deps.metrics,
      presence: this.#presence({ isClosed: networkKey !== undefined || manifest?.admission !== undefined }),
    });
    admitOnly(manifest, swarm);
    await swarm.start();
    swarm.onPeer(() => this.#changed());
    this.#swarm = swarm;
    this.#delay.enable();
    await this.#parts.watch.start();
    await this.#evaluations?.start();
    this.#life = "running";
    participation.start(swarm);
  }

  #presence({ isClosed }: { isClosed: boolean }): PresenceSource | undefined {
    if (!this.#options.listed || isClosed) return undefined;
    const { key } = this.#parts.store;
    const said = (): ReturnType<typeof ownPresence> => ownPresence(this.#run, this.#participation);
    return {
      has: () => said() !== undefined,
      get: async (nonce) => {
        const presence = said();
        return presence && signPresence(presence, { key, nonce });
      },
    };
  }

  /** Known before the door opens, wherever it comes from: it says whom to let in. */
  async #manifestAtHand(): Promise<Manifest | undefined> {
    const { run } = this.#options;
    const { blocks } = this.#parts.store;
    if (typeof run !== "string") await blocks.put(this.#run, encodeManifest(run));
    const block = await blocks.get(this.#run);
    return block && decodeManifest(block);
  }

  #createParticipation(manifest: Manifest | undefined): Participation {
    return new Participation(manifest, {
      options: this.#options,
      run: this.#run,
      self: this.peerId,
      store: this.#parts.store,
      disk: this.#parts.disk,
      served: this.#parts.served,
      engine: this.#parts.engine,
      gate: this.#parts.gate,
      clock: this.#parts.clock,
      log: this.#parts.log,
      recorder: this.#deps.recorder,
      emitter: this.events,
      signal: this.#stopping.signal,
      diskFull: (lack) => this.#noteDisk("learner", lack),
      changed: () => this.#changed(),
      onChange: (listener) => this.onChange(listener),
      finish: this.#end.resolve,
      fail: this.#end.reject,
    });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const last = this.status();
    this.#stopping.abort(new Error("the node is stopping"));
    const parts = [
      this.#swarm,
      this.#participation,
      this.#evaluations,
      this.#parts.conditions,
      this.#parts.watch,
    ];
    try {
      await stopAll(parts.filter((part) => part !== undefined));
      await this.#parts.mending.idle();
    } finally {
      this.#delay.disable();
      await this.#keepStatus(last);
      await this.#parts.store.close();
      this.#life = "stopped";
    }
  }

  async #keepStatus(last: NodeStatus): Promise<void> {
    const bytes = new TextEncoder().encode(`${JSON.stringify(last, null, 2)}\n`);
    try {
      await writeFiles(this.#parts.store.dir, new Map([[STATUS_FILE, bytes]]));
    } catch (error) {
      // Only words; the folder must be let go all the same.
      this.#parts.log.warn("the last status could not be written", { error: messageOf(error) });
    }
  }

  pause(): void {
    this.#parts.gate.close(BY_HAND);
    this.#parts.log.info("paused", { why: this.#parts.gate.why });
  }

  resume(): void {
    this.#parts.gate.open(BY_HAND);
    this.#parts.log.info("resumed", { still: this.#parts.gate.why });
  }

  async farewell(until: Until): Promise<void> {
    const loop = this.#participation?.loop;
    if (loop === undefined) return;
    await farewell(until, {
      machine: loop.machine,
      self: this.peerId,
      gate: this.#parts.gate,
      clock: this.#parts.clock,
      signal: this.#stopping.signal,
      isTraining: () => loop.isTraining,
      peersCount: () => this.#swarm?.peers().length ?? 0,
      onChange: (listener) => this.onChange(listener),
    });
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #noteDisk(who: "node" | "learner", lack: string | null): void {
    this.#diskFull[who] = lack;
    this.#changed();
  }

  #changed(): void {
    const loop = this.#participation?.loop;
    if (loop !== undefined) this.#parts.watch.note(loop.machine);
    for (const listener of this.#listeners) listener();
  }

  exportTo(out: string): Promise<string[]> {
    return this.#model.exportTo(out);
  }

  generate(options: GenerateOptions): AsyncGenerator<string> {
    return this.#model.generate(options);
  }

  weights(): Promise<SettledWeights> {
    return this.#model.weights();
  }

  measure(text: string): Promise<Evaluation> {
    return this.#model.measure(text);
  }

  async proposals(): Promise<ProposalStatus[]> {
    const { succession, at } = this.#voting();
    return succession.proposals(at);
  }

  async propose(manifest: unknown, withinRounds: number): Promise<Cid> {
    const { succession, at } = this.#voting();
    return succession.propose(manifest, withinRounds, at);
  }

  async support(proposal: Cid | null): Promise<void> {
    const { succession, at } = this.#voting();
    return succession.support(proposal, at);
  }

  #voting(): { succession: Succession; at: At } {
    const { succession, loop, phase } = this.#participation ?? {};
    if (succession === undefined || loop === undefined || phase === undefined) throw notReady("history");
    return { succession, at: { phase, machine: loop.machine } };
  }

  async runs(): Promise<RunListing[]> {
    const lookout = this.#swarm?.lookout;
    if (lookout === undefined) {
      const message =
        "expected a node that strangers may hear of, this one is unlisted or of a closed or local run; " +
        "name another one with --bootstrap, and the search begins there";
      throw new StarlingError("RUNS_UNLISTED", message);
    }
    const { log } = this.#parts;
    const said = ownPresence(this.#run, this.#participation);
    const { addresses } = this.status();
    const own = { peer: this.peerId, addresses, participation: this.#participation };
    return lookForRuns({ lookout, log, signal: this.#stopping.signal }, ownSightings(said, own));
  }

  credits(fromRound: number): CreditsPage {
    const { manifest, climb } = this.#participation ?? {};
    if (manifest === undefined || climb?.loop === undefined) throw notReady("history");
    const views = climb.machines.map(({ view }) => view);
    return creditsPage({ run: this.#run, manifest, views }, fromRound);
  }

  snapshot(): Snapshot {
    return this.#parts.watch.snapshot({
      status: this.status(),
      manifest: this.#participation?.manifest,
      swarm: this.#swarm,
      machine: this.#participation?.loop?.machine,
    });
  }

  status(): NodeStatus {
    return statusOf({
      run: this.#run,
      peerId: this.peerId,
      life: this.#life,
      diskFull: this.#diskFull.node ?? this.#diskFull.learner,
      eventLoopDelayP99Ms: this.#delay.count === 0 ? null : this.#delay.percentile(99) / 1e6,
      gate: this.#parts.gate,
      engine: this.#parts.engine,
      served: this.#parts.served,
      swarm: this.#swarm,
      participation: this.#participation,
    });
  }
}

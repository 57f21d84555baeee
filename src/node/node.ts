/**
 * A node: its data folder, its place in the swarm, its learner and its rounds, started in that order and stopped in
 * reverse. The only place where the rooms meet.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { prometheusMetrics } from "@libp2p/prometheus-metrics";
import { NO_ACCOUNTS, settledRoot } from "../consensus/index.ts";
import {
  type Cid,
  type Clock,
  type Logger,
  type PeerId,
  type RunId,
  type Service,
  StarlingError,
  assert,
  messageOf,
  stopAll,
  systemClock,
} from "../core/index.ts";
import type { NodeMetrics, Snapshot, SnapshotSource } from "../dashboard/index.ts";
import {
  type BlockSource,
  type PullOptions as PullBlocks,
  type ReachOptions,
  type Swarm,
  createSwarm,
} from "../gossip/index.ts";
import {
  type ServedCheckpoints,
  type Store,
  openServedCheckpoints,
  openStore,
  writeFiles,
} from "../storage/index.ts";
import {
  type EngineName,
  type GenerateOptions,
  type GradientMemory,
  noMixedPrecision,
  parametersCount,
  runOn,
  supportedEngines,
  takeDevice,
} from "../trainer/index.ts";
import { type CreditsPage, creditsByAuthor, creditsPage } from "./credits.ts";
import { DiskPatience, patientStore } from "./disk-patience.ts";
import { DataPull } from "./data/pull.ts";
import { Climb, type PhaseStart } from "./climb.ts";
import { type RunData, readRunData } from "./data/run-data.ts";
import { chooseEngine } from "./engine/choose.ts";
import { type LearnerClient, createLearnerClient } from "./learner/client.ts";
import type { LearnerOptions } from "./learner/learner.ts";
import { type Recorder, RoundLoop } from "./loop.ts";
import {
  type Manifest,
  type Phase,
  decodeManifest,
  deltaBytesMaxAt,
  encodeManifest,
  limitsOf,
  phaseOf,
  runIdOf,
} from "./manifest.ts";
import { checkMemory } from "./memory.ts";
import { modelCard } from "./model-card.ts";
import { checkNetworkKey, storedNetworkKey } from "./network-key.ts";
import { STATUS_FILE, emptyStatus } from "./offline.ts";
import { readStartWeights } from "./start-weights.ts";
import type { NodeState, NodeStatus, SettledStatus } from "./status.ts";
import { Conditions, type UseOptions } from "./idle/conditions.ts";
import { Join, addressOf, isJoinable } from "./join/join.ts";
import type { SettledName } from "./join/run-address.ts";
import { type Until, farewell } from "./farewell.ts";
import { Gate } from "./gate.ts";
import { Line, type LineOptions } from "./limited-swarm.ts";
import { Watch } from "./watch/watch.ts";

export interface NodeOptions {
  readonly dataDir: string;
  /** A manifest at hand, or only its CID: then it is fetched from peers. */
  readonly run: Manifest | RunId;
  /** A settled state out of the run's address: the node joins at it, and follows only histories that extend it. */
  readonly settled?: SettledName | undefined;
  readonly listen: readonly string[];
  readonly announce: readonly string[];
  readonly bootstrap: readonly string[];
  readonly engine: EngineName | "auto";
  /** Which device, for engines that have several (trainer, `takeDevice`). */
  readonly device?: string | undefined;
  /** Matrix products in float16; wants an engine by name. */
  readonly mixedPrecision?: boolean;
  /** Of the trainer; several nodes on one machine want one each. 0: one per core. */
  readonly threads: number;
  /** How to need less memory, on the CPU; changes no result beyond float32's rounding. */
  readonly memory?: GradientMemory;
  readonly dht: boolean;
  readonly mdns: boolean;
  /** Keep loopback and private addresses in the DHT: for runs on one machine or one LAN. */
  readonly localAddresses: boolean;
  /** When it may train; default: always. */
  readonly use?: UseOptions;
  /** How fast it may send and receive; default: as it goes. */
  readonly line?: LineOptions;
  /** How it is reached behind a router, and whether it carries those who are; absent: the defaults. */
  readonly reach?: Pick<ReachOptions, "relay" | "viaRelay" | "upnp">;
}

export interface NodeDeps {
  readonly log: Logger;
  readonly clock?: Clock;
  readonly recorder?: Recorder;
  /** Takes libp2p's counts and the lengths of the rounds' stages; everything else it asks for itself. */
  readonly metrics?: NodeMetrics;
}

export interface StarlingNode extends Service, SnapshotSource {
  readonly peerId: PeerId;
  status(): NodeStatus;
  /** Writes the settled weights as a Hugging Face folder; answers with the files' names. */
  exportTo(out: string): Promise<string[]>;
  /** Text that the settled model continues a prompt with, as it comes. */
  generate(options: GenerateOptions): AsyncGenerator<string>;
  /** What the settled history has minted, from a round on. Throws `CREDITS_NONE`, or `NOT_READY` before there is history. */
  credits(fromRound: number): CreditsPage;
  /** Ends the round under way after its step, publishes it, and trains no more until `resume`. */
  pause(): void;
  resume(): void;
  /** Resolves when the node may be stopped without losing work; meanwhile it begins nothing that would be lost. */
  farewell(until: Until): Promise<void>;
  /** Resolves when the run is over and settled; rejects when the node cannot go on. */
  readonly finished: Promise<void>;
}

/** What `pausedWhy` says after `starling pause`. */
const BY_HAND = "by hand";
const RETRY_MS = 500;
const FETCH_MS_MAX = 30_000;

/** A node whose data folder is open; `start` connects it and begins. Throws the storage room's errors. */
export async function createNode(options: NodeOptions, deps: NodeDeps): Promise<StarlingNode> {
  const run = typeof options.run === "string" ? options.run : runIdOf(options.run);
  const store = await openStore(options.dataDir, { run, log: deps.log });
  return new Node(options, run, store, deps);
}

class Node implements StarlingNode {
  readonly name = "node";
  readonly peerId: PeerId;
  readonly finished: Promise<void>;
  readonly #options: NodeOptions;
  readonly #run: RunId;
  readonly #store: Store;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #recorder: Recorder | undefined;
  readonly #metrics: NodeMetrics | undefined;
  readonly #stopping = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #delay: ReturnType<typeof monitorEventLoopDelay> = monitorEventLoopDelay({ resolution: 10 });
  readonly #watch: Watch;
  readonly #gate = new Gate();
  readonly #line: Line;
  readonly #served: ServedCheckpoints;
  #landmark: SettledName | undefined;
  readonly #conditions: Conditions;
  #state: NodeState = "starting";
  #manifest: Manifest | undefined;
  #swarm: Swarm | undefined;
  #learner: LearnerClient | undefined;
  #climb: Climb | undefined;
  #engine: EngineName | "auto" = "auto";
  #engineReason: string | null = null;
  #deviceIndex: number | undefined;
  #life: Promise<void> = Promise.resolve();
  #shards: Promise<void> = Promise.resolve();
  #data: RunData | undefined;
  #stopped: Promise<void> | undefined;
  readonly #diskFull: Record<"node" | "learner", string | null> = { node: null, learner: null };
  #finish: () => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;

  constructor(options: NodeOptions, run: RunId, store: Store, deps: NodeDeps) {
    const { log, clock, recorder, metrics } = deps;
    this.#options = options;
    this.#run = run;
    this.#log = log.child("node");
    this.#clock = clock ?? systemClock;
    const disk = new DiskPatience({
      clock: this.#clock,
      log: this.#log,
      signal: this.#stopping.signal,
      changed: (lack) => this.#noteDisk("node", lack),
    });
    this.#store = patientStore(store, disk);
    this.#served = openServedCheckpoints(join(store.dir, "checkpoints"), { log: this.#log });
    this.#recorder = recorder;
    this.#metrics = metrics;
    this.peerId = store.peerId;
    this.#watch = new Watch({
      clock: this.#clock,
      log: this.#log,
      dataDir: store.dir,
      load: () => {
        const { tokensPerSecond, bytesIn, bytesOut } = this.status();
        return { tokensPerSecond, bytesIn, bytesOut };
      },
      changed: () => this.#changed(),
    });
    this.#line = new Line(options.line ?? { uploadMax: null, downloadMax: null }, this.#clock);
    this.#conditions = new Conditions(
      options.use ?? { hours: null, onlyWhenIdle: false, monthlyBytesMax: null },
      {
        gate: this.#gate,
        dataDir: store.dir,
        clock: this.#clock,
        log: this.#log,
        traffic: () => {
          const { bytesIn, bytesOut } = this.#swarm?.traffic() ?? { bytesIn: 0, bytesOut: 0 };
          return bytesIn + bytesOut;
        },
        allow: (isUsedUp) => this.#line.cut(isUsedUp),
      },
    );
    if (metrics !== undefined) this.#watch.onStage((stage, ms) => metrics.observeStage(stage, ms));
    this.finished = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    // Whoever awaits it gets the error; a node that nobody awaits must not end the process.
    this.finished.catch(() => undefined);
  }

  /** Resolves once the node can be reached; the rest (data, history, rounds) goes on by itself. */
  async start(): Promise<void> {
    const { run, listen, announce, bootstrap, dht, mdns, localAddresses, engine, device } = this.#options;
    if (engine !== "auto") this.#nameEngine(engine);
    else if (this.#options.mixedPrecision === true) throw noMixedPrecision(engine);
    if (device !== undefined) this.#deviceIndex = takeDevice(engine, device);
    const store = this.#store;
    if (typeof run !== "string") await store.blocks.put(this.#run, encodeManifest(run));
    // Known before the door opens, wherever it comes from: it says whom to let in.
    const block = await store.blocks.get(this.#run);
    if (block !== undefined) this.#manifest = decodeManifest(block);
    const key = await storedNetworkKey(store.dir);
    if (this.#manifest !== undefined) checkNetworkKey(this.#manifest, key);
    await this.#served.refresh();
    const networkKey = key === undefined ? {} : { networkKey: key.bytes };
    await this.#conditions.start();
    const unlimited = await createSwarm(
      {
        run: this.#run,
        listen,
        announce,
        bootstrap,
        dht,
        mdns,
        localAddresses,
        ...networkKey,
        ...this.#options.reach,
      },
      {
        privateKey: store.key,
        datastore: store.datastore,
        blocks: this.#line.serving(this.#servedBlocks()),
        headers: {
          since: ({ phase, fromRound, bytesMax }) => store.contributions.since(phase, fromRound, bytesMax),
          byIds: async (ids) => {
            const found = await Promise.all(ids.map((id) => store.contributions.get(id as never)));
            return found.filter((bytes) => bytes !== undefined);
          },
          state: ({ phase, round, root }) =>
            this.#served
              .states()
              .find((state) => state.phase === phase && state.round === round && state.root === root)?.base,
        },
        log: this.#log,
        clock: this.#clock,
        ...(this.#metrics && {
          metrics: prometheusMetrics({
            registry: this.#metrics.registry,
            collectDefaultMetrics: false,
          }),
        }),
      },
    );
    const swarm = this.#line.fetching(unlimited);
    this.#closeTo(swarm);
    await swarm.start();
    swarm.onPeer(() => this.#changed());
    this.#swarm = swarm;
    this.#delay.enable();
    await this.#watch.start();
    this.#life = this.#live(swarm).catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) this.#fail(error);
    });
  }

  /** One that was asked for by name, proven or not. */
  #nameEngine(engine: EngineName): void {
    const supported = supportedEngines();
    if (!supported.includes(engine)) {
      throw new StarlingError(
        "ENGINE_UNAVAILABLE",
        `expected one of ${supported.join(", ")} here, got ${engine}`,
      );
    }
    this.#engine = engine;
    if (runOn(engine) !== null) return;
    this.#engineReason = "asked for by name";
    this.#log.warn("this engine has never been run by its authors: compare its losses with the CPU's", {
      engine,
    });
  }

  async #engineFor({ model, optimizer, batch }: Phase): Promise<EngineName> {
    if (this.#engine !== "auto") return this.#engine;
    const { sequences } = batch;
    const { engine, reason } = await chooseEngine(
      { model, optimizer, sequences, threads: this.#threads },
      { dataDir: this.#store.dir, log: this.#log, signal: this.#stopping.signal },
    );
    this.#engine = engine;
    this.#engineReason = reason;
    return engine;
  }

  get #threads(): number {
    return this.#options.threads || availableParallelism();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const last = this.status();
    this.#stopping.abort(new Error("the node is stopping"));
    await this.#watch.stop();
    await this.#conditions.stop();
    await this.#climb?.stop();
    await this.#life;
    await this.#shards;
    this.#delay.disable();
    await stopAll([this.#learner, this.#swarm].filter((service) => service !== undefined).toReversed());
    try {
      await writeFiles(this.#store.dir, new Map([[STATUS_FILE, encodeStatus(last)]]));
    } catch (error) {
      // Only words; the folder must be let go all the same.
      this.#log.warn("the last status could not be written", { error: messageOf(error) });
    }
    await this.#store.close();
    this.#state = "stopped";
  }

  /** Manifest, data, learner, history: then rounds. */
  async #live(swarm: Swarm): Promise<void> {
    this.#state = "fetching";
    const manifest = (this.#manifest ??= await this.#fetchManifest(swarm));
    this.#closeTo(swarm);
    const pull = new DataPull({
      blocks: this.#store.blocks,
      fetch: (cids, take) => this.#fetchAll(swarm, cids, take),
      self: this.peerId,
      signal: this.#stopping.signal,
    });
    const data = await readRunData(manifest, (cid, bytesMax) => pull.body(cid, bytesMax));
    const start = await readStartWeights(manifest, (cid, bytesMax) => pull.body(cid, bytesMax));
    this.#data = data;
    const { rest } = await pull.all(data);
    this.#shards = rest.catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) this.#fail(error);
    });
    const client = createLearnerClient({
      log: this.#log,
      block: (cid) => pull.block(cid),
      diskFull: (lack) => this.#noteDisk("learner", lack),
    });
    this.#learner = client;
    client.failed.catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) this.#fail(error);
    });
    const climb = new Climb({
      manifest,
      self: this.peerId,
      learner: client.learner,
      log: this.#log,
      signal: this.#stopping.signal,
      learnerOptions: (phase) => this.#learnerOptions(manifest, phase, data),
      createLoop: (begin) => this.#createLoop({ manifest, swarm, learner: client.learner }, begin),
      onChange: (listener) => this.onChange(listener),
    });
    const facts = await client.learner.open(
      { ...(await this.#learnerOptions(manifest, 0, data)), start },
      this.#store.dir,
    );
    if (this.#stopping.signal.aborted) return;
    const joining = new Join({
      run: this.#run,
      manifest,
      store: this.#store,
      served: this.#served,
      swarm,
      learner: client.learner,
      clock: this.#clock,
      log: this.#log,
      signal: this.#stopping.signal,
    });
    const { base, landmark } = await joining.start(this.#options.settled);
    if (this.#stopping.signal.aborted) return;
    this.#landmark = landmark;
    this.#climb = climb;
    await climb.run(facts, base);
    this.#finish();
  }

  async #learnerOptions(
    manifest: Manifest,
    index: number,
    data: RunData,
  ): Promise<Omit<LearnerOptions, "start">> {
    const phase = phaseOf(manifest, index);
    const memory = this.#options.memory ?? {};
    const engine = await this.#engineFor(phase);
    if (engine === "cpu") checkMemory(phase, { memory, availableBytes: process.availableMemory() });
    return {
      model: phase.model,
      optimizer: phase.optimizer,
      batch: phase.batch,
      codec: phase.codec,
      residualBeta: phase.residualBeta,
      tokensBudget: phase.tokensBudget,
      roundMsMax: phase.roundMsMax,
      seed: manifest.seed,
      data,
      engine,
      deviceIndex: this.#deviceIndex,
      mixedPrecision: this.#options.mixedPrecision === true,
      threads: this.#threads,
      memory,
    };
  }

  #createLoop(
    parts: { manifest: Manifest; swarm: Swarm; learner: LearnerClient["learner"] },
    { phase, facts, ascent, base }: PhaseStart,
  ): RoundLoop {
    const { manifest, swarm, learner } = parts;
    const run = this.#run;
    const { startRoot, zeroState } = facts;
    const settings = phaseOf(manifest, phase);
    return new RoundLoop({
      options: {
        run,
        phase,
        rule: settings.rule,
        founders: manifest.founders,
        limits: limitsOf(manifest, phase),
        startRoot,
        startSettled:
          ascent?.mark.root ??
          settledRoot({ run, phase, round: 0, weightsRoot: startRoot, accounts: NO_ACCOUNTS }),
        zeroState,
        self: this.peerId,
        ...(base && { base }),
        ...(this.#landmark?.phase === phase && { landmark: this.#landmark }),
        ...(ascent && { firstVoters: ascent.voters, admits: (author) => ascent.admits(author) }),
      },
      run,
      key: this.#store.key,
      store: this.#store,
      swarm,
      learner,
      deltaBytesMaxAt: (settledTokens) => deltaBytesMaxAt(settings, settledTokens),
      clock: this.#clock,
      log: this.#log,
      recorder: this.#recorder,
      changed: () => this.#changed(),
      gate: this.#gate,
      givesBases: isJoinable(manifest),
      checkpointed: () => this.#served.refresh(),
      // Where we climbed to, others may have been for long.
      asksFirst:
        this.#options.bootstrap.length > 0 || this.#options.mdns || (phase > 0 && swarm.peers().length > 0),
      fail: this.#fail,
    });
  }

  /** Blocks of the disk, and of the settled states. */
  #servedBlocks(): BlockSource {
    const { blocks } = this.#store;
    const served = this.#served;
    return {
      get: async (cid) => (await served.get(cid)) ?? blocks.get(cid),
      has: async (cid) => served.has(cid) || blocks.has(cid),
    };
  }

  #closeTo(swarm: Swarm): void {
    const peers = this.#manifest?.admission?.peers;
    if (peers !== undefined) swarm.admitOnly(peers);
  }

  async #fetchManifest(swarm: Swarm): Promise<Manifest> {
    const block = await this.#persist("manifest", () => this.#fetchBlock(swarm, this.#run));
    await this.#store.blocks.put(this.#run, block);
    return decodeManifest(block);
  }

  /** From whoever has them, for as long as it takes. */
  async #fetchAll(swarm: Swarm, cids: readonly Cid[], take: PullBlocks["take"]): Promise<void> {
    const { signal } = this.#stopping;
    const left = new Set(cids);
    const holders = (): PeerId[] => swarm.peers();
    const takeOne = async (cid: Cid, block: Uint8Array): Promise<void> => {
      await take(cid, block);
      left.delete(cid);
    };
    // Every node of the run announces the run, and pulls all of its data.
    await this.#persist("data", () =>
      swarm.fetchBlocks({ cids: [...left], root: this.#run, holders, take: takeOne, signal }),
    );
  }

  #fetchBlock(swarm: Swarm, cid: Cid): Promise<Uint8Array> {
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(FETCH_MS_MAX)]);
    return swarm.fetchBlock(cid, swarm.peers(), { signal });
  }

  /** Again and again until somebody has it: a node may be the first to come. */
  async #persist<T>(what: string, fetch: () => Promise<T>): Promise<T> {
    const { signal } = this.#stopping;
    for (;;) {
      try {
        return await fetch();
      } catch (error) {
        // Holders come and go, so the same request may succeed later; anything else is no matter of patience.
        signal.throwIfAborted();
        if (!(error instanceof StarlingError) || error.code !== "BLOCK_NOT_FOUND") throw error;
        this.#log.debug("not found yet", { what, error: messageOf(error) });
        await this.#clock.sleep(RETRY_MS, signal);
      }
    }
  }

  pause(): void {
    this.#gate.close(BY_HAND);
    this.#log.info("paused", { why: this.#gate.why });
  }

  resume(): void {
    this.#gate.open(BY_HAND);
    this.#log.info("resumed", { still: this.#gate.why });
  }

  async farewell(until: Until): Promise<void> {
    const loop = this.#loop;
    if (loop === undefined) return;
    await farewell(until, {
      machine: loop.machine,
      self: this.peerId,
      gate: this.#gate,
      clock: this.#clock,
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
    if (this.#loop !== undefined) this.#watch.note(this.#loop.machine);
    for (const listener of this.#listeners) listener();
  }

  async exportTo(out: string): Promise<string[]> {
    const { learner } = this.#opened();
    for (;;) {
      const settled = this.status().settled;
      const { files, weightsRoot } = await learner.exportTo(out, this.#card(settled));
      // A round may settle in between; then the card would tell of other weights.
      if (settled === null || weightsRoot === settled.weightsRoot) return files;
    }
  }

  #card(settled: SettledStatus | null): string {
    const [manifest, data] = [this.#manifest, this.#data];
    assert(manifest !== undefined && data !== undefined, "whoever has a learner has manifest and data");
    const rule = phaseOf(manifest, this.#phase).credits;
    const { tokensTotal, validationLossNats, ...losses } = this.status();
    return modelCard({
      manifest,
      data,
      phase: this.#phase,
      settled,
      tokensTotal,
      contributors:
        // Who joined late does not know all of them.
        rule === undefined || this.#loop?.machine.view.context.base !== undefined
          ? []
          : creditsByAuthor(
              creditsPage({ run: this.#run, rule, view: this.#loop?.machine.view }, 0, Infinity),
            ),
      lossFirstNats: losses.validationLossFirstNats,
      lossLastNats: losses.validationLossLastNats ?? validationLossNats,
    });
  }

  async *generate(options: GenerateOptions): AsyncGenerator<string> {
    const { learner } = this.#opened();
    const text = await learner.openText(options);
    try {
      for (let said = await learner.nextText(text); said !== null; said = await learner.nextText(text))
        yield said;
    } finally {
      // Also when nobody wants the rest.
      await learner.closeText(text);
    }
  }

  credits(fromRound: number): CreditsPage {
    if (this.#manifest === undefined || this.#loop === undefined) throw notReady("history");
    const { credits: rule } = phaseOf(this.#manifest, this.#phase);
    return creditsPage({ run: this.#run, rule, view: this.#loop.machine.view }, fromRound);
  }

  #opened(): LearnerClient {
    if (this.#learner !== undefined && this.#loop !== undefined) return this.#learner;
    throw notReady("model");
  }

  snapshot(): Snapshot {
    return this.#watch.snapshot({
      status: this.status(),
      manifest: this.#manifest,
      swarm: this.#swarm,
      machine: this.#loop?.machine,
    });
  }

  status(): NodeStatus {
    const base = {
      ...emptyStatus(this.#run, this.peerId),
      pid: process.pid,
      state: this.#stateNow(),
      diskFull: this.#diskFull.node ?? this.#diskFull.learner,
      pausedWhy: this.#gate.why,
      addresses: this.#swarm?.addresses() ?? [],
      address: this.#swarm === undefined ? null : addressOf(this.#run, this.#swarm, this.#served),
      engine: this.#engine,
      engineReason: this.#engineReason,
      peersCount: this.#swarm?.peers().length ?? 0,
      ...this.#swarm?.traffic(),
      pingP99Ms: this.#swarm?.pingP99Ms() ?? null,
      eventLoopDelayP99Ms: this.#delay.count === 0 ? null : this.#delay.percentile(99) / 1e6,
    };
    if (this.#manifest === undefined) return base;
    const parameters = parametersCount(phaseOf(this.#manifest, this.#phase).model);
    const named = {
      ...base,
      runName: this.#manifest.name,
      parametersCount: parameters,
      deltaBytesDense: 4 * parameters,
      phase: this.#phase,
      phases: this.#climb?.status() ?? [],
    };
    if (this.#loop === undefined) return named;
    const { machine, progress } = this.#loop;
    const { settled, view, round } = machine;
    const { lossNats, validationLossNats, validationLossFirstNats, validationLossLastNats } = progress;
    const {
      contributionsPublished,
      stepsNotApplied,
      stepsSettled,
      tokensPerSecond,
      trainingSeconds,
      deltaBytesMean,
    } = progress;
    return {
      ...named,
      round,
      settled: settled
        ? { round: settled.round, root: settled.root, weightsRoot: settled.weightsRoot }
        : null,
      lossNats,
      validationLossNats,
      validationLossFirstNats,
      validationLossLastNats,
      contributionsPublished,
      contributionsIncluded: progress.contributionsIncluded(this.peerId, view),
      stepsNotApplied,
      stepsSettled,
      tokensTotal: view.includedTokens(),
      tokensPerSecond,
      trainingSeconds,
      deltaBytesMean,
      curve: progress.curve.slice(),
    };
  }

  #stateNow(): NodeState {
    if (this.#state !== "fetching" || this.#loop === undefined) return this.#state;
    const { machine, progress, isTraining } = this.#loop;
    const isAtWork = isTraining || machine.stage === "publishing" || machine.stage === "finished";
    if (this.#gate.why !== null && !isAtWork) return "paused";
    switch (machine.stage) {
      case "idle":
      case "waiting":
        return "waiting";
      case "collecting":
        return machine.round === 0 ? "waiting" : "collecting";
      case "folding":
      case "training":
      case "publishing":
        return machine.isClosing ? "closing" : "training";
      case "finished":
        return progress.validationLossLastNats !== null && this.#climb?.isLastPhase ? "finished" : "closing";
    }
  }

  get #loop(): RoundLoop | undefined {
    return this.#climb?.loop;
  }

  get #phase(): number {
    return this.#climb?.phase ?? 0;
  }
}

function notReady(what: string): StarlingError {
  return new StarlingError(
    "NOT_READY",
    `expected a node that has its ${what}: it is still fetching the run, try again`,
  );
}

function encodeStatus(status: NodeStatus): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(status, null, 2)}\n`);
}

/**
 * A node's part in its run, from when it can be reached: manifest, data, learner, history, then rounds, phase by phase.
 * What there is of these already, the rest of the node may read.
 */
import { type MachineOptions, NO_ACCOUNTS, settledRoot } from "../consensus/index.ts";
import type { Clock, Logger, PeerId, RunId } from "../core/index.ts";
import type { Swarm } from "../gossip/index.ts";
import type { ServedCheckpoints, Store } from "../storage/index.ts";
import type { EngineName, GradientMemory } from "../trainer/index.ts";
import { Climb, type PhaseStart } from "./climb/climb.ts";
import { PatientFetch } from "./data/patient-fetch.ts";
import { DataPull } from "./data/pull.ts";
import { type RunData, readRunData } from "./data/run-data.ts";
import type { DiskKeeper } from "./disk/keeper.ts";
import type { NodeEngine } from "./engine/node-engine.ts";
import { type NodeEmitter, bothOf, phaseEvents } from "./events.ts";
import type { Gate } from "./idle/gate.ts";
import { Footholds } from "./join/footholds.ts";
import { Holding } from "./round/holding.ts";
import { Join, isJoinable } from "./join/join.ts";
import type { SettledName } from "./join/run-address.ts";
import { type LearnerClient, createLearnerClient } from "./learner/client.ts";
import type { LearnerFacts, LearnerOptions } from "./learner/options.ts";
import { type Recorder, RoundLoop } from "./round/loop.ts";
import {
  type Manifest,
  type Phase,
  decodeManifest,
  deltaBytesMaxAt,
  limitsOf,
  phaseOf,
} from "./run/manifest.ts";
import { fitGpuMemory, fitMemory } from "./run/memory.ts";
import type { NodeSettings } from "./node-options.ts";
import { parametersCount } from "../trainer/index.ts";
import { Succession } from "./succession/succession.ts";
import { readStartWeights } from "./run/start-weights.ts";

export interface ParticipationDeps {
  readonly options: Pick<
    NodeSettings,
    "bootstrap" | "mdns" | "settled" | "memory" | "mixedPrecision" | "cheat" | "role"
  >;
  readonly run: RunId;
  readonly self: PeerId;
  readonly store: Store;
  readonly disk: DiskKeeper;
  readonly served: ServedCheckpoints;
  readonly engine: NodeEngine;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly log: Logger;
  readonly recorder: Recorder | undefined;
  readonly emitter: NodeEmitter;
  readonly signal: AbortSignal;
  /** What the learner has no room to write; null: it has again. */
  diskFull(lack: string | null): void;
  /** Called whenever something may have changed. */
  changed(): void;
  onChange(listener: () => void): () => void;
  /** Called when the run is over and settled. */
  finish(): void;
  /** Called when the node cannot go on. */
  fail(error: unknown): void;
}

export class Participation {
  readonly name = "participation";
  readonly #deps: ParticipationDeps;
  #manifest: Manifest | undefined;
  #data: RunData | undefined;
  #learner: LearnerClient | undefined;
  #climb: Climb | undefined;
  #succession: Succession | undefined;
  #holding: Holding | undefined;
  #landmark: SettledName | undefined;
  #shards: Promise<void> = Promise.resolve();
  #running: Promise<void> = Promise.resolve();

  /** `manifest`: where it is at hand. */
  constructor(manifest: Manifest | undefined, deps: ParticipationDeps) {
    this.#manifest = manifest;
    this.#deps = deps;
  }

  get manifest(): Manifest | undefined {
    return this.#manifest;
  }

  get data(): RunData | undefined {
    return this.#data;
  }

  get learner(): LearnerClient | undefined {
    return this.#learner;
  }

  get climb(): Climb | undefined {
    return this.#climb;
  }

  get succession(): Succession | undefined {
    return this.#succession;
  }

  /** Of a node that trains nothing. */
  get holding(): Holding | undefined {
    return this.#holding;
  }

  get loop(): RoundLoop | undefined {
    return this.#climb?.loop;
  }

  /** The phase that the node works on. */
  get phase(): number {
    return this.#climb?.phase ?? 0;
  }

  /** Goes on by itself until the run is over or the node stops. */
  start(swarm: Swarm): void {
    this.#running = this.#run(swarm).catch((error: unknown) => this.#fail(error));
  }

  /** The signal must be aborted already. */
  async stop(): Promise<void> {
    await this.#climb?.stop();
    await this.#holding?.stop();
    await this.#running;
    await this.#shards;
    await this.#learner?.stop();
  }

  async #run(swarm: Swarm): Promise<void> {
    const { store, disk, self, signal, clock, log, run, served, options } = this.#deps;
    const fetch = new PatientFetch({ swarm, clock, log, signal });
    const manifest = (this.#manifest ??= await this.#fetchManifest(fetch));
    admitOnly(manifest, swarm);
    const pull = new DataPull({
      blocks: store.blocks,
      // Every node of the run announces the run, and pulls all of its data.
      fetch: (cids, take) => fetch.all(run, cids, take),
      self,
      signal,
    });
    const data = await readRunData(manifest, (cid, bytesMax) => pull.body(cid, bytesMax));
    const start = await readStartWeights(manifest, (cid, bytesMax) => pull.body(cid, bytesMax));
    this.#data = data;
    await disk.start([...data.heldOut, ...data.train].map(({ cid }) => cid));
    const { rest } = await pull.all(data, disk.blocksFree);
    this.#shards = rest.catch((error: unknown) => this.#fail(error));
    if (options.role === "serve") return this.#hold({ manifest, start, swarm, pull });
    const client = createLearnerClient({
      log,
      block: (cid) => pull.block(cid),
      diskFull: (lack) => this.#deps.diskFull(lack),
    });
    this.#learner = client;
    client.failed.catch((error: unknown) => this.#fail(error));
    const { learner } = client;
    const succession = await Succession.open({
      run,
      manifest,
      key: store.key,
      store,
      swarm,
      log,
      signal,
    });
    this.#succession = succession;
    const climb = new Climb({
      manifest,
      self,
      learner,
      log,
      signal,
      learnerOptions: (phase) => this.#learnerOptions(manifest, phase, data),
      reopen: () => open(),
      left: async ({ round }) => void (await succession.goOver(await learner.keepSettled(), round)),
      over: () => this.#deps.finish(),
      createLoop: (begin) => this.#createLoop({ manifest, swarm, learner }, begin),
      onChange: (listener) => this.#deps.onChange(listener),
    });
    const open = async (): Promise<LearnerFacts> =>
      learner.open({ ...(await this.#learnerOptions(manifest, 0, data)), start }, store.dir);
    const facts = await open();
    if (signal.aborted) return;
    const joining = new Join({ run, manifest, store, served, swarm, learner, clock, log, signal });
    const { base, landmark } = await joining.start(options.settled ?? undefined);
    if (signal.aborted) return;
    this.#landmark = landmark;
    this.#climb = climb;
    await climb.run(facts, base);
  }

  /** Nothing is trained, so nothing of the size of the model stays in memory. */
  async #hold(o: {
    manifest: Manifest;
    start: Uint8Array | null;
    swarm: Swarm;
    pull: DataPull;
  }): Promise<void> {
    const { manifest, start, swarm, pull } = o;
    const { store, clock, log, signal } = this.#deps;
    const settings = phaseOf(manifest, 0);
    const client = createLearnerClient({ log, block: (cid) => pull.block(cid), diskFull: () => undefined });
    const facts = await client.learner.facts({ model: settings.model, seed: manifest.seed, start });
    await client.stop();
    if (signal.aborted) return;
    this.#holding = new Holding({
      options: this.#machineOptions(manifest, { phase: 0, facts, ascent: undefined }),
      run: this.#deps.run,
      store,
      swarm,
      deltaBytesMaxAt: (settledTokens) => deltaBytesMaxAt(settings, settledTokens),
      retire: (bodies) => (isJoinable(manifest) ? this.#deps.disk.retire(bodies) : undefined),
      clock,
      log,
      changed: () => this.#deps.changed(),
      fail: (error) => this.#fail(error),
    });
    log.info("serving without training", { peers: swarm.peers().length });
    await this.#holding.start();
  }

  #machineOptions(manifest: Manifest, { phase, facts, ascent, base }: PhaseStart): MachineOptions {
    const { run, self } = this.#deps;
    const { startRoot, zeroState } = facts;
    return {
      run,
      phase,
      rule: phaseOf(manifest, phase).rule,
      founders: manifest.founders,
      limits: limitsOf(manifest, phase),
      startRoot,
      startSettled:
        ascent?.mark.root ??
        settledRoot({ run, phase, round: 0, weightsRoot: startRoot, accounts: NO_ACCOUNTS }),
      zeroState,
      self,
      supports: () => this.#succession?.supportedIn(phase) ?? null,
      ...(base && { base }),
      ...(this.#landmark?.phase === phase && { landmark: this.#landmark }),
      ...(ascent && { firstVoters: ascent.voters, admits: (author) => ascent.admits(author) }),
    };
  }

  async #fetchManifest(fetch: PatientFetch): Promise<Manifest> {
    const { store, run } = this.#deps;
    const block = await fetch.one("manifest", run);
    await store.blocks.put(run, block);
    return decodeManifest(block);
  }

  async #learnerOptions(
    manifest: Manifest,
    index: number,
    data: RunData,
  ): Promise<Omit<LearnerOptions, "start">> {
    const { engine: nodeEngine, options } = this.#deps;
    const phase = phaseOf(manifest, index);
    const engine = await nodeEngine.of(phase);
    const memory = this.#memoryFor(phase, engine);
    return {
      model: phase.model,
      optimizer: phase.optimizer,
      batch: phase.batch,
      codec: phase.codec,
      residualBeta: phase.residualBeta,
      ...(phase.residualInStart !== undefined && { residualInStart: phase.residualInStart }),
      ...(phase.gates && { gates: phase.gates }),
      ...(options.cheat && { cheat: options.cheat }),
      tokensBudget: phase.tokensBudget,
      roundMsMax: phase.roundMsMax,
      seed: manifest.seed,
      data,
      engine,
      devices: nodeEngine.devices,
      mixedPrecision: options.mixedPrecision === true,
      threads: nodeEngine.threads,
      memory,
    };
  }

  /** On the CPU as much as fits; on a GPU what the user fixed, or what fits into what it may take. */
  #memoryFor(phase: Phase, engine: EngineName): GradientMemory {
    const { log, engine: nodeEngine, options } = this.#deps;
    const given = options.memory ?? {};
    const bytesMax = nodeEngine.gpuMemoryMaxOf(engine);
    if (bytesMax !== null) {
      const { memory, neededBytes } = fitGpuMemory(phase, { memory: given, bytesMax });
      log.info("training fits the GPU", { engine, ...memory, neededBytes, bytesMax });
      return memory;
    }
    if (engine !== "cpu") return given;
    const availableBytes = process.availableMemory();
    const { threads, devices } = nodeEngine;
    const { memory, neededBytes } = fitMemory(phase, {
      memory: given,
      availableBytes,
      trainers: devices.length,
    });
    const trainers = devices.length;
    log.info("training fits this host", {
      engine,
      trainers,
      threads,
      ...memory,
      neededBytes,
      availableBytes,
    });
    return memory;
  }

  #createLoop(
    parts: { manifest: Manifest; swarm: Swarm; learner: LearnerClient["learner"] },
    begin: PhaseStart,
  ): RoundLoop {
    const { manifest, swarm, learner } = parts;
    const { run, self, store, served, clock, log, recorder, gate, options, emitter } = this.#deps;
    const { phase } = begin;
    const settings = phaseOf(manifest, phase);
    return new RoundLoop({
      options: this.#machineOptions(manifest, begin),
      run,
      key: store.key,
      store,
      swarm,
      learner,
      deltaBytesMaxAt: (settledTokens) => deltaBytesMaxAt(settings, settledTokens),
      clock,
      log,
      recorder: bothOf(recorder, phaseEvents(emitter, phase, self)),
      changed: () => this.#deps.changed(),
      gate,
      footholds: new Footholds({
        ...this.#deps,
        phase,
        rule: settings.rule,
        limits: limitsOf(manifest, phase),
        weightsBytes: 4 * parametersCount(settings.model),
        learner,
        swarm,
        blocks: store.blocks,
      }),
      isJoining: this.#landmark !== undefined,
      // In a ladder who comes late may have to fold a phase from its start: nobody may hold its end any more.
      retire: (bodies) => (isJoinable(manifest) ? this.#deps.disk.retire(bodies) : undefined),
      checkpointed: () => served.refresh(),
      // Where we climbed to, others may have been for long.
      asksFirst: options.bootstrap.length > 0 || options.mdns || (phase > 0 && swarm.peers().length > 0),
      fail: (error) => this.#deps.fail(error),
    });
  }

  #fail(error: unknown): void {
    if (!this.#deps.signal.aborted) this.#deps.fail(error);
  }
}

/** A closed run's peers are the only ones that are let in. */
export function admitOnly(manifest: Manifest | undefined, swarm: Swarm): void {
  const peers = manifest?.admission?.peers;
  if (peers !== undefined) swarm.admitOnly(peers);
}

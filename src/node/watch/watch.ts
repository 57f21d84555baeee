/**
 * What a node remembers about itself for those who look at it: the dashboard and its metrics. It is only told and asked;
 * nothing in the node depends on it.
 */
import type { Machine, Stage } from "../../consensus/index.ts";
import { type Clock, type Logger, type Service } from "../../core/index.ts";
import type { RankRow, Snapshot } from "../../dashboard/index.ts";
import { type Swarm, contributionsTopic } from "../../gossip/index.ts";
import { parametersCount } from "../../trainer/index.ts";
import { type Manifest, phaseOf } from "../run/manifest.ts";
import type { CurvePoint, NodeStatus } from "../status.ts";
import { contributionRows } from "./contributions.ts";
import { meshOf, weightShares } from "./mesh.ts";
import { Points } from "./points.ts";
import { HostSamples, type Load } from "./samples.ts";
import { Tally } from "./tally.ts";
import { type StageEnded, Timeline, trainingShare } from "./timeline.ts";

/** Guess: as many as anybody scrolls through. */
const RANKS_MAX = 64;

export interface WatchDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly dataDir: string;
  readonly load: () => Load;
  /** Called when there is something new to show. */
  readonly changed: () => void;
}

/** What there is of a node; less of it while it starts. */
export interface WatchedParts {
  readonly status: NodeStatus;
  readonly manifest: Manifest | undefined;
  readonly swarm: Swarm | undefined;
  readonly machine: Machine | undefined;
}

export class Watch implements Service {
  readonly name = "watch";
  readonly #deps: WatchDeps;
  readonly #samples: HostSamples;
  readonly #stopping = new AbortController();
  readonly #stageListeners = new Set<StageEnded>();
  readonly #timeline = new Timeline((stage, durationMs) => {
    for (const listener of this.#stageListeners) listener(stage, durationMs);
  });
  #tally: Tally | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(deps: WatchDeps) {
    this.#deps = deps;
    this.#samples = new HostSamples(deps);
  }

  async start(): Promise<void> {
    this.#running = this.#samples.run(this.#deps.load, this.#deps.changed, this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the node is stopping"));
    await this.#running;
  }

  /** The machine may have moved. */
  note({ round, stage }: { readonly round: number; readonly stage: Stage }): void {
    this.#timeline.note(round, stage, this.#deps.clock.nowMs());
  }

  /** Called with each stage of a round that has ended. */
  onStage(listener: StageEnded): void {
    this.#stageListeners.add(listener);
  }

  snapshot(parts: WatchedParts): Snapshot {
    const { status, manifest, swarm, machine } = parts;
    const nowMs = this.#deps.clock.nowMs();
    const rounds = this.#timeline.spans(nowMs);
    const tally = machine && manifest && this.#look(machine, manifest, status.phase);
    return {
      nowMs,
      node: {
        peerId: status.peerId,
        version: status.version,
        run: status.run,
        runName: status.runName,
        state: status.state,
        pausedWhy: status.pausedWhy,
        engine: status.engine,
        devicesCount: status.devicesCount,
        parametersCount: status.parametersCount,
        addresses: status.addresses,
      },
      round: status.round,
      phase: status.phase,
      settled: status.settled && { round: status.settled.round, root: status.settled.root },
      loss: {
        trainingNats: status.lossNats,
        validationNats: status.validationLossNats,
        validationFirstNats: status.validationLossFirstNats,
      },
      training: tally && machine ? tally.curve(machine.view) : { round: [], tokens: [], lossNats: [] },
      validation: thinned(status.curve),
      rounds,
      contributions: machine === undefined ? [] : contributionRows(machine.graph, machine.view),
      gates: {
        judged: status.gates.judged,
        refused: refusedCount(status.gates),
        judgingSeconds: status.gates.judgingSeconds,
      },
      own: { published: status.contributionsPublished, included: status.contributionsIncluded },
      mesh:
        swarm === undefined
          ? { peers: [], citations: [] }
          : meshOf({
              self: status.peerId,
              swarm,
              topic: contributionsTopic(status.run, status.phase),
              ...(machine && { history: { graph: machine.graph, view: machine.view } }),
            }),
      phases: manifest === undefined ? [] : phasesOf(manifest, status),
      ranking: tally && machine ? rankingOf(tally, machine) : [],
      host: {
        ...this.#samples.use(),
        tokensPerSecond: status.tokensPerSecond,
        trainingShare: trainingShare(rounds, nowMs),
        trainingSeconds: status.trainingSeconds,
        bytesIn: status.bytesIn,
        bytesOut: status.bytesOut,
        eventLoopDelayP99Ms: status.eventLoopDelayP99Ms,
      },
      samples: this.#samples.columns(),
    };
  }

  #look(machine: Machine, manifest: Manifest, phase: number): Tally {
    const tally = (this.#tally ??= new Tally(phaseOf(manifest, phase).credits));
    tally.look(machine.view);
    return tally;
  }
}

function refusedCount({ refused }: NodeStatus["gates"]): number {
  return Object.values(refused).reduce((sum, count) => sum + count, 0);
}

function phasesOf(manifest: Manifest, status: NodeStatus): Snapshot["phases"] {
  return manifest.phases.map(({ model, tokensBudget }, phase) => ({
    phase,
    parametersCount: parametersCount(model),
    tokensBudget,
    tokensDone:
      phase < status.phase
        ? tokensBudget
        : phase > status.phase
          ? 0
          : Math.min(tokensBudget, status.tokensTotal),
  }));
}

/** Whoever weighs or has earned something, the heaviest first. */
function rankingOf(tally: Tally, { view }: Machine): RankRow[] {
  const shares = weightShares(view);
  const authors = [...new Set([...shares.keys(), ...tally.authors.keys()])];
  const rows = authors.map((peerId): RankRow => {
    const work = tally.authors.get(peerId);
    return {
      peerId,
      weightShare: shares.get(peerId) ?? 0,
      contributions: work?.contributions ?? 0,
      tokens: work?.tokens ?? 0,
      credits: tally.mints ? String(work?.credits ?? 0n) : null,
    };
  });
  rows.sort((a, b) => b.weightShare - a.weightShare || b.tokens - a.tokens || (a.peerId < b.peerId ? -1 : 1));
  return rows.slice(0, RANKS_MAX);
}

function thinned(curve: readonly CurvePoint[]): Snapshot["validation"] {
  const points = new Points();
  for (const { round, tokens, validationLossNats } of curve) points.add(round, tokens, validationLossNats);
  return points.columns();
}

/** What a node says of itself, put together from its parts; less of it while it starts. */
import type { PeerId, RunId } from "../core/index.ts";
import type { Swarm } from "../gossip/index.ts";
import type { ServedCheckpoints } from "../storage/index.ts";
import { parametersCount } from "../trainer/index.ts";
import type { NodeEngine } from "./engine/node-engine.ts";
import type { Gate } from "./idle/gate.ts";
import { addressOf } from "./join/join.ts";
import type { RoundLoop } from "./round/loop.ts";
import { phaseOf } from "./run/manifest.ts";
import { emptyStatus } from "./offline/offline.ts";
import type { Participation } from "./participation.ts";
import type { NodeState, NodeStatus } from "./status.ts";

export interface StatusParts {
  readonly run: RunId;
  readonly peerId: PeerId;
  /** Where the node is in its life; between the two it is the rounds' state that counts. */
  readonly life: "starting" | "running" | "stopped";
  readonly diskFull: string | null;
  readonly eventLoopDelayP99Ms: number | null;
  readonly gate: Gate;
  readonly engine: NodeEngine;
  readonly served: ServedCheckpoints;
  /** Undefined before the node has started. */
  readonly swarm: Swarm | undefined;
  readonly participation: Participation | undefined;
}

export function statusOf(parts: StatusParts): NodeStatus {
  const { run, peerId, diskFull, eventLoopDelayP99Ms, gate, engine, served, swarm, participation } = parts;
  const base = {
    ...emptyStatus(run, peerId),
    pid: process.pid,
    state: stateOf(parts),
    diskFull,
    pausedWhy: gate.why,
    addresses: swarm?.addresses() ?? [],
    address: swarm === undefined ? null : addressOf(run, swarm, served),
    engine: engine.name,
    engineReason: engine.reason,
    peersCount: swarm?.peers().length ?? 0,
    ...swarm?.traffic(),
    pingP99Ms: swarm?.pingP99Ms() ?? null,
    eventLoopDelayP99Ms,
  };
  if (participation?.manifest === undefined) return base;
  const { manifest, phase, climb, loop, holding } = participation;
  const parameters = parametersCount(phaseOf(manifest, phase).model);
  return {
    ...base,
    runName: manifest.name,
    parametersCount: parameters,
    deltaBytesDense: 4 * parameters,
    phase,
    ladder: climb?.ladder() ?? null,
    phases: climb?.status() ?? [],
    successor: participation.succession?.successor ?? null,
    ...(loop && roundsOf(loop, peerId)),
    ...(holding && { round: holding.round, holding: holding.status() }),
  };
}

/** What the rounds have come to. */
function roundsOf({ machine, progress, judging, fates }: RoundLoop, self: PeerId): Partial<NodeStatus> {
  const { settled, view, round } = machine;
  const { lossNats, validationLossNats, validationLossFirstNats, validationLossLastNats } = progress;
  const {
    contributionsPublished,
    devicesCount,
    stepsNotApplied,
    stepsSettled,
    tokensPerSecond,
    trainingSeconds,
    deltaBytesMean,
  } = progress;
  return {
    round,
    settled: settled ? { round: settled.round, root: settled.root, weightsRoot: settled.weightsRoot } : null,
    lossNats,
    validationLossNats,
    validationLossFirstNats,
    validationLossLastNats,
    contributionsPublished,
    contributionsIncluded: progress.contributionsIncluded(self, view),
    devicesCount,
    stepsNotApplied,
    stepsSettled,
    tokensTotal: view.includedTokens(),
    gates: {
      judged: judging.counts.judged,
      refused: judging.counts.refused,
      judgingSeconds: judging.counts.judgingMs / 1000,
    },
    authors: fates.list(),
    tokensPerSecond,
    trainingSeconds,
    deltaBytesMean,
    curve: progress.curve.slice(),
  };
}

function stateOf({ life, participation, gate }: StatusParts): NodeState {
  if (life !== "running") return life;
  const { loop, climb, holding } = participation ?? {};
  if (holding !== undefined) return "serving";
  if (loop === undefined) return "fetching";
  const { machine, progress, isTraining } = loop;
  const isAtWork = isTraining || machine.stage === "publishing" || machine.stage === "finished";
  if (gate.why !== null && !isAtWork) return "paused";
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
      return progress.validationLossLastNats !== null && climb?.isLastPhase ? "finished" : "closing";
  }
}

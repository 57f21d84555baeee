/**
 * A node's numbers for Prometheus: base units, `_total` on what only grows (https://prometheus.io/docs/practices/naming/).
 * They are read from a snapshot when somebody asks, so nobody pays for them otherwise. The only file that makes metrics;
 * libp2p's own come into the same registry (`registry`).
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { Snapshot } from "./snapshot.ts";

interface Reading {
  readonly name: string;
  readonly help: string;
  /** Null: not known, and left out. */
  readonly read: (snapshot: Snapshot) => number | null;
}

const GAUGES: readonly Reading[] = [
  { name: "round", help: "Round that the node works on.", read: (s) => s.round },
  { name: "phase", help: "Phase of the model ladder.", read: (s) => s.phase },
  { name: "settled_rounds", help: "Rounds that have settled.", read: (s) => s.settled?.round ?? null },
  {
    name: "training_loss_nats",
    help: "Loss per token of the node's last step.",
    read: (s) => s.loss.trainingNats,
  },
  {
    name: "validation_loss_nats",
    help: "Loss per held-out token of the weights that the round started from.",
    read: (s) => s.loss.validationNats,
  },
  {
    name: "included_tokens",
    help: "Tokens of the whole flock that history includes in this phase.",
    read: (s) => s.phases[s.phase]?.tokensDone ?? null,
  },
  {
    name: "phase_budget_tokens",
    help: "Tokens after which the phase ends.",
    read: (s) => s.phases[s.phase]?.tokensBudget ?? null,
  },
  { name: "model_parameters", help: "Parameters of the model.", read: (s) => s.node.parametersCount },
  {
    name: "training_tokens_per_second",
    help: "Speed of the node's last training.",
    read: (s) => s.host.tokensPerSecond,
  },
  {
    name: "training_ratio",
    help: "Share of the last rounds' time that went into training.",
    read: (s) => s.host.trainingShare,
  },
  {
    name: "paused",
    help: "1 while something keeps the node from training.",
    read: (s) => (s.node.pausedWhy === null ? 0 : 1),
  },
  {
    name: "contributions_included",
    help: "Own contributions with work in them that history includes.",
    read: (s) => s.own.included,
  },
  {
    name: "peers",
    help: "Connected peers of the run.",
    read: (s) => s.mesh.peers.filter((p) => p.connected).length,
  },
  {
    name: "mesh_peers",
    help: "Peers that gossip is exchanged with.",
    read: (s) => s.mesh.peers.filter((p) => p.neighbour).length,
  },
  {
    name: "voting_weight_ratio",
    help: "The node's share of all voting weight.",
    read: (s) => ownRank(s)?.weightShare ?? 0,
  },
  {
    name: "event_loop_delay_p99_seconds",
    help: "99th percentile of the event loop's delay.",
    read: (s) => seconds(s.host.eventLoopDelayP99Ms),
  },
  {
    name: "gates_refused",
    help: "Contributions that the gates found not worth citing, since the node started.",
    read: (s) => s.gates.refused,
  },
  { name: "data_folder_bytes", help: "Size of the data folder.", read: (s) => s.host.diskBytes },
  {
    name: "data_folder_free_bytes",
    help: "Free space on the data folder's disk.",
    read: (s) => s.host.diskFreeBytes,
  },
];

const COUNTERS: readonly Reading[] = [
  {
    name: "contributions_published_total",
    help: "Own contributions with work in them.",
    read: (s) => s.own.published,
  },
  {
    name: "gates_judged_total",
    help: "Contributions that the gates looked at.",
    read: (s) => s.gates.judged,
  },
  {
    name: "gates_seconds_total",
    help: "Time that the gates took.",
    read: (s) => s.gates.judgingSeconds,
  },
  { name: "training_seconds_total", help: "Time spent training.", read: (s) => s.host.trainingSeconds },
  { name: "network_receive_bytes_total", help: "Bytes received on the wire.", read: (s) => s.host.bytesIn },
  { name: "network_transmit_bytes_total", help: "Bytes sent on the wire.", read: (s) => s.host.bytesOut },
];

/** Guess: rounds of a toy last a tenth of a second, those of a large model an hour. */
const STAGE_BUCKETS_SECONDS = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600];

export interface NodeMetrics {
  /** Where libp2p registers its own. */
  readonly registry: Registry;
  readonly contentType: string;
  /** What a snapshot says, and all that was counted, in the text format of Prometheus. */
  text(snapshot: Snapshot): Promise<string>;
  /** A stage of a round has ended. */
  observeStage(stage: string, durationMs: number): void;
}

/** Of one node; nothing is shared with another one in the same process. */
export function createMetrics(): NodeMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  for (const { name, help } of GAUGES) new Gauge({ name: `starling_${name}`, help, registers });
  for (const { name, help } of COUNTERS) new Counter({ name: `starling_${name}`, help, registers });
  const stages = new Histogram({
    name: "starling_round_stage_seconds",
    help: "Time that each stage of a round took.",
    labelNames: ["stage"],
    buckets: STAGE_BUCKETS_SECONDS,
    registers,
  });
  const info = new Gauge({
    name: "starling_node_info",
    help: "Always 1; the labels say which node it is.",
    labelNames: ["version", "run", "run_name", "peer", "engine"],
    registers,
  });
  const state = new Gauge({
    name: "starling_node_state",
    help: "1 for the state that the node is in.",
    labelNames: ["state"],
    registers,
  });

  function read(snapshot: Snapshot): void {
    for (const { name, read: value } of GAUGES) {
      const gauge = registry.getSingleMetric(`starling_${name}`) as Gauge;
      const now = value(snapshot);
      if (now === null) gauge.remove();
      else gauge.set(now);
    }
    for (const { name, read: value } of COUNTERS) {
      const counter = registry.getSingleMetric(`starling_${name}`) as Counter;
      counter.reset();
      counter.inc(value(snapshot) ?? 0);
    }
    const { version, run, runName, peerId, engine } = snapshot.node;
    info.reset();
    info.set({ version, run, run_name: runName, peer: peerId, engine }, 1);
    state.reset();
    state.set({ state: snapshot.node.state }, 1);
  }

  return {
    registry,
    contentType: registry.contentType,
    text: (snapshot) => {
      read(snapshot);
      return registry.metrics();
    },
    observeStage: (stage, durationMs) => stages.observe({ stage }, durationMs / 1000),
  };
}

function ownRank({ ranking, node }: Snapshot): Snapshot["ranking"][number] | undefined {
  return ranking.find(({ peerId }) => peerId === node.peerId);
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}

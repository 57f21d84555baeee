/** What a phase asks of a node, before anybody has run it: memory, and traffic with everybody there. */
import { deltaBytesMax } from "../../codec/index.ts";
import { type GradientMemory, parametersCount, tensorLengths, trainingBytes } from "../../trainer/index.ts";
import type { Phase } from "./manifest.ts";

export interface PhaseEstimate {
  readonly parameters: number;
  /** Peak of one node, of all its memory, while training. */
  readonly memoryBytes: number;
  /** As many as the phase has seats for. */
  readonly nodes: number;
  /** Of one node's delta, with the settings that the phase begins and ends with. */
  readonly deltaBytes: { readonly first: number; readonly last: number };
  /** In and out together, of one node and round: everybody's delta in, and its own to everybody. */
  readonly trafficBytes: { readonly first: number; readonly last: number };
}

/**
 * Beside the engine: weights, settled weights and residual (int32, 12 bytes), and what encoding, folding and writing a
 * checkpoint hold for a while. Measured: bench/RESULTS.md, memory of a whole node.
 */
const LEARNER_BYTES_PER_PARAMETER = 19;
/** Weights and two moments. */
const SHARED_BYTES_PER_PARAMETER = 12;
/** Node, its code, and what the network holds. Measured: the same. */
const PROCESS_BYTES = 180e6;

type Costs = Omit<Phase, "tokensBudget">;

/** How a host trains: how it saves memory, when on its CPU, and with how many trainers at once. */
export interface TrainingWay {
  readonly memory?: GradientMemory;
  readonly trainers?: number;
}

export function estimatePhase(phase: Costs, { memory = {}, trainers = 1 }: TrainingWay = {}): PhaseEstimate {
  const { model, batch, codec, entry, rule } = phase;
  const parameters = parametersCount(model);
  const nodes = Math.min(rule.membersMax, entry?.seats ?? rule.membersMax);
  const lengths = tensorLengths(model);
  const engineBytes = trainingBytes({ model, sequences: batch.sequences, memory });
  // Several are averaged in one state that they share.
  const sharedBytes = trainers === 1 ? 0 : SHARED_BYTES_PER_PARAMETER * parameters;
  const deltaAt = (stage: number): number => deltaBytesMax(lengths, codec.at(stage) ?? codec[0]);
  const deltaBytes = { first: deltaAt(0), last: deltaAt(-1) };
  const perNode = 2 * (nodes - 1);
  return {
    parameters,
    memoryBytes:
      PROCESS_BYTES + LEARNER_BYTES_PER_PARAMETER * parameters + sharedBytes + trainers * engineBytes,
    nodes,
    deltaBytes,
    trafficBytes: { first: perNode * deltaBytes.first, last: perNode * deltaBytes.last },
  };
}

/** What a phase asks of a node, before anybody has run it: memory, and traffic with everybody there. */
import { deltaBytesMax } from "../codec/index.ts";
import { type BatchConfig, type ModelConfig, parametersCount, tensorLengths } from "../trainer/index.ts";
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
 * Bytes for each parameter: 25 in the engine (weights, two moments, gradients, some copies) and 12 outside it (weights,
 * settled weights, residual). Measured: bench/RESULTS.md, memory of a training step.
 */
const BYTES_PER_PARAMETER = 37;
/** Runtime, graph and code. Measured: the same. */
const FIXED_BYTES = 250e6;
/** Measured over counted, of what the backward pass needs. Measured: the same. */
const ACTIVATIONS_SLACK = 1.1;

type Costs = Omit<Phase, "tokensBudget">;

export function estimatePhase(phase: Costs): PhaseEstimate {
  const { model, codec, entry, rule } = phase;
  const parameters = parametersCount(model);
  const nodes = Math.min(rule.membersMax, entry?.seats ?? rule.membersMax);
  const lengths = tensorLengths(model);
  const deltaAt = (stage: number): number => deltaBytesMax(lengths, codec.at(stage) ?? codec[0]);
  const deltaBytes = { first: deltaAt(0), last: deltaAt(-1) };
  const perNode = 2 * (nodes - 1);
  return {
    parameters,
    memoryBytes: FIXED_BYTES + BYTES_PER_PARAMETER * parameters + activationBytes(model, phase.batch),
    nodes,
    deltaBytes,
    trafficBytes: { first: perNode * deltaBytes.first, last: perNode * deltaBytes.last },
  };
}

/** All layers' activations are alive at once: 16 D + 6 F + 3 H T floats of each token and layer, and 3 V at the end. */
function activationBytes(c: ModelConfig, { sequences }: BatchConfig): number {
  const layer = 16 * c.hiddenSize + 6 * c.intermediateSize + 3 * c.headsCount * c.contextLength;
  const floats = sequences * c.contextLength * (c.layersCount * layer + 3 * c.vocabSize);
  return ACTIVATIONS_SLACK * 4 * floats;
}

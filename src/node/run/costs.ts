/** What taking part in a run costs one node, out of its manifest alone, for people who decide whether to. */
import { deltaBytesMax } from "../../codec/index.ts";
import { tensorLengths } from "../../trainer/index.ts";
import { estimatePhase } from "./estimate.ts";
import { type Manifest, type Phase, limitsOf } from "./manifest.ts";

export interface PhaseCosts {
  readonly parameters: number;
  /** Peak of the whole node, trained the fastest way; a smaller host trains a slower one. */
  readonly memoryBytes: number;
  /** In and out, with `nodes` there. */
  readonly roundTrafficBytes: number;
  /** If each round takes all the time that it may; more where rounds are shorter. */
  readonly hourTrafficBytesMin: number;
  readonly roundMsMax: number;
  /** In which `nodes` that do all their steps reach the phase's budget. */
  readonly rounds: number;
  /** What the node keeps at the phase's end: every delta, two checkpoints, two states of the optimiser. */
  readonly diskBytes: number;
}

/** Of weights in a checkpoint, and of moments and residual in a state; two of each are kept. */
const CHECKPOINT_BYTES_PER_PARAMETER = 4;
const STATE_BYTES_PER_PARAMETER = 12;

/** `nodes`: how many take part, at least 1. */
export function costsOf(manifest: Manifest, nodes: number): PhaseCosts[] {
  return manifest.phases.map((phase, index) => costsOfPhase(phase, { nodes, ...limitsOf(manifest, index) }));
}

function costsOfPhase(
  phase: Phase,
  { nodes, tokensPerStep }: { nodes: number; tokensPerStep: number },
): PhaseCosts {
  const { batch, codec, model, roundMsMax, tokensBudget } = phase;
  const { parameters, memoryBytes } = estimatePhase(phase);
  const lengths = tensorLengths(model);
  // Schedules begin with the largest deltas.
  const deltaBytes = deltaBytesMax(lengths, codec[0]);
  const roundTrafficBytes = 2 * (nodes - 1) * deltaBytes;
  const rounds = Math.ceil(tokensBudget / (nodes * batch.stepsPerRound * tokensPerStep));
  const kept = 2 * (CHECKPOINT_BYTES_PER_PARAMETER + STATE_BYTES_PER_PARAMETER) * parameters;
  return {
    parameters,
    memoryBytes,
    roundTrafficBytes,
    hourTrafficBytesMin: (roundTrafficBytes * 3_600_000) / roundMsMax,
    roundMsMax,
    rounds,
    diskBytes: rounds * nodes * deltaBytes + kept,
  };
}

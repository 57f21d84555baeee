/** How peers agree: contributions, inclusion, fold, settlement. Pure: no I/O, no clock, no randomness, no async. */
export {
  type DeltaLink,
  HEADER_BYTES_MAX,
  type Header,
  type ParsedHeader,
  type Settled,
  type UnsignedHeader,
  type Work,
  encodeHeader,
  idOf,
  parseHeader,
  signingBytes,
} from "./header.ts";
export { type PhaseLimits, type Rule, ruleSchema } from "./rule.ts";
export { Commons } from "./commons.ts";
export { type Contribution, type PhaseContext, type View, settledRoundAt } from "./view.ts";
export type { WeightTable } from "./weights.ts";
export { type FoldTerm, foldRound, foldTerms } from "./fold.ts";
export { batchSeed, settledRoot } from "./settlement.ts";
export { type Admission, ContributionGraph, type GraphOptions, WAITING_MAX } from "./graph.ts";
export {
  type Draft,
  type Effect,
  type Event,
  type FoldPlan,
  Machine,
  type MachineOptions,
  type SettledState,
  type Stage,
  type TrainOrder,
  type Trained,
} from "./machine.ts";

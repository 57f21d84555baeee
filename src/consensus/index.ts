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
export type { CountedWork, WeightTable } from "./weights.ts";
export {
  type Accounts,
  type AccountsRecord,
  NO_ACCOUNTS,
  accountsOfRecord,
  accountsRecordSchema,
  recordOfAccounts,
} from "./accounts.ts";
export type { Base } from "./base.ts";
export { rootsNamedBefore } from "./base-roots.ts";
export { type Backing, phaseEndIn, settledStates, viewOn } from "./foothold.ts";
export { Commons } from "./commons.ts";
export { type Contribution, type PhaseContext, type View, settledRoundAt } from "./view.ts";
export { type FoldTerm, foldRound, foldTerms } from "./fold.ts";
export { type PhaseMark, type Seats, type Standing, firstVoters, standingAt } from "./admission.ts";
export { Support, supportIn } from "./support.ts";
export { phaseEnd } from "./phase-end.ts";
export { type Score, acceptedWork, rankAuthors } from "./ranking.ts";
export { batchSeed, settledRoot } from "./settlement.ts";
export { OwnWork, lastPublished } from "./own-work.ts";
export { endRound, trainedRound } from "./closing.ts";
export { chooseParents } from "./parents.ts";
export { type Admission, ContributionGraph, type GraphOptions } from "./graph.ts";
export { WAITING_MAX } from "./waiting.ts";
export type { Draft, Effect, Event, FoldPlan, SettledState, TrainOrder, Trained } from "./events.ts";
export type { Lineage } from "./lineage.ts";
export { Machine, type MachineOptions, type Stage, type Supported } from "./machine.ts";
export { authorKey } from "./author-key.ts";
export { type Address, parseAddress } from "./address.ts";
export { type CreditLine, type CreditRule, creditLines, creditRuleSchema } from "./credits.ts";
export {
  type Payout,
  type UnsignedPayout,
  latestPayouts,
  parsePayout,
  payoutSigningBytes,
} from "./payout.ts";

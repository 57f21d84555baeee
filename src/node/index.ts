/** The composition root: a node, its manifest and its status. */
export { createNode } from "./node.ts";
export type { StarlingNode } from "./starling-node.ts";
export type { NodeDeps, NodeOptions } from "./node-options.ts";
export { CHEATS, type Cheat } from "./learner/cheat.ts";
export type {
  ContributionEvent,
  EvaluationEvent,
  NodeEmitter,
  NodeEvents,
  PhaseEvent,
  RoundEvent,
  SettledEvent,
} from "./events.ts";
export type { Evaluate } from "./model/evaluations.ts";
export type { SettledModel, SettledWeights } from "./model/settled-model.ts";
export type { Documents } from "./data/given-documents.ts";
export { type DraftParts, type InitOptions, type RunOptions, draftManifest, initRun } from "./run/init.ts";
export { type AddOptions, addToFolder } from "./data/add.ts";
export type { FileProgress } from "./data/files.ts";
export type { DataRecord } from "./data/record.ts";
export { readTokenizerFile } from "./model/folder.ts";
export { type TrainOptions, type TrainedFolder, trainToFolder } from "./model/train-to-folder.ts";
export { type TokenizerTraining, trainTokenizerOn } from "./model/train-tokenizer.ts";
export { evaluateFolder, generateFromFolder } from "./model/use.ts";
export type { Evaluation } from "./model/measure.ts";
export type { GenerateOptions, ModelPresetName } from "../trainer/index.ts";
export { type Manifest, type Phase, readManifestFile, runIdOf, writeManifestFile } from "./run/manifest.ts";
export { type NetworkKey, networkKeyPath, readNetworkKey, writeNetworkKey } from "./keys/network-key.ts";
export { presetNames } from "./presets/presets.ts";
export { type PlanRow, planOf, planOfPreset } from "./run/plan.ts";
export { exportPhase } from "./climb/phase-ends.ts";
export { exportOffline } from "./offline/export.ts";
export { readOfflineStatus } from "./offline/offline.ts";
export { readLedgerOffline, verifyOffline } from "./verify/offline-checks.ts";
export type { Finding } from "./verify/findings.ts";
export type { Exclusion, LedgerEntry, LedgerFilter } from "./verify/ledger.ts";
export type { VerifyProgress, VerifyReport } from "./verify/report.ts";
export { type AloneOptions, type AloneResult, type AloneStep, trainAlone } from "./model/alone.ts";
export type {
  CurvePoint,
  LadderStatus,
  NodeState,
  NodeStatus,
  PhaseStatus,
  SettledStatus,
  Successor,
} from "./status.ts";
export type { RunListing } from "./runs/listing.ts";
export { findRuns } from "./runs/scouting.ts";
export type { ProposalStatus } from "./succession/succession.ts";
export { type RunAddress, type SettledName, decodeRunAddress } from "./join/run-address.ts";
export { assertDataIsFree, createControl } from "./control/server.ts";
export { type ServedNode, type ServedOptions, createServedNode } from "./served-node.ts";
export type { DashboardOptions, Snapshot } from "../dashboard/index.ts";
export type { Hours } from "./idle/hours.ts";
export { type ControlClient, connectControl } from "./control/client.ts";
export { type LogLevel, createLog } from "./pino-log.ts";
export {
  type AuthorCredits,
  type Credit,
  type Credits,
  type CreditsPage,
  type PhaseCredits,
  creditsAsOf,
  creditsByAuthor,
  readOfflineCredits,
} from "./credits/credits.ts";
export { type CreditsTree, creditsTree } from "./credits/tree.ts";
export { type PayoutFile, payoutText, readOwnPayout, readPayoutFiles, setPayout } from "./credits/payouts.ts";
export { type Address, type Payout, latestPayouts, parseAddress } from "../consensus/index.ts";
export { exportKey, importKey } from "../storage/index.ts";
export { type ModelServer, type ServeOptions, createModelServer } from "./serve/server.ts";
export { type ApiKey, parseKeys } from "../serving/index.ts";
export { type DoctorOptions, examine } from "./doctor/doctor.ts";
export { reportReach } from "./doctor/reach-report.ts";
export type { Symptom } from "./doctor/finding.ts";
export { type PhaseCosts, costsOf } from "./run/costs.ts";

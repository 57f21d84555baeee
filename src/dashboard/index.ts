/** A read-only page for people and endpoints for operators. It is given what it shows. */
export type {
  ContributionRow,
  Curve,
  HostFacts,
  Mesh,
  MeshPeer,
  RankRow,
  RoundSpan,
  Samples,
  Snapshot,
  SnapshotSource,
} from "./snapshot.ts";
export { type NodeMetrics, createMetrics } from "./metrics.ts";
export { type Dashboard, type DashboardDeps, type DashboardOptions, createDashboard } from "./server.ts";

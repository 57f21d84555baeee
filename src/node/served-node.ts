/** A node and what shows it: its page, and the control socket that `starling` commands use. */
import { type Clock, type Logger, type Service, systemClock } from "../core/index.ts";
import { type Dashboard, type DashboardOptions, createDashboard, createMetrics } from "../dashboard/index.ts";
import type { ControlTarget } from "./control/routes.ts";
import { createControl } from "./control/server.ts";
import type { NodeOptions } from "./node-options.ts";
import { createNode } from "./node.ts";
import type { StarlingNode } from "./starling-node.ts";
import type { NodeStatus } from "./status.ts";

export interface ServedOptions extends NodeOptions {
  /** Null: no page. */
  readonly dashboard: DashboardOptions | null;
}

export interface ServedNode {
  readonly node: StarlingNode;
  readonly dashboard: Dashboard | undefined;
  /** In the order in which they start. The socket comes first: two daemons on one folder must not meet. */
  readonly services: readonly Service[];
}

/** All of it, with the folder open and nothing started. Throws the storage room's errors. */
export async function createServedNode(
  { dashboard: page, ...options }: ServedOptions,
  { log, clock = systemClock, requestStop }: { log: Logger; clock?: Clock; requestStop: () => void },
): Promise<ServedNode> {
  const metrics = page === null ? undefined : createMetrics();
  const node = await createNode(options, { log, clock, ...(metrics && { metrics }) });
  const dashboard =
    page && metrics && createDashboard(page, { source: node, metrics, clock, log: log.child("dashboard") });
  const target = targetOf(node, () => dashboard?.url() ?? null);
  const control = createControl({ dataDir: options.dataDir, target, requestStop, log });
  return {
    node,
    dashboard: dashboard ?? undefined,
    services: [control, ...(dashboard ? [dashboard] : []), node],
  };
}

function targetOf(node: StarlingNode, dashboardUrl: () => string | null): ControlTarget {
  return {
    status: (): NodeStatus => ({ ...node.status(), dashboardUrl: dashboardUrl() }),
    exportTo: (out) => node.exportTo(out),
    generate: (options) => node.generate(options),
    credits: (fromRound) => node.credits(fromRound),
    pause: () => node.pause(),
    resume: () => node.resume(),
    proposals: () => node.proposals(),
    propose: (manifest, withinRounds) => node.propose(manifest, withinRounds),
    support: (proposal) => node.support(proposal),
    runs: () => node.runs(),
    farewell: (until) => node.farewell(until),
  };
}

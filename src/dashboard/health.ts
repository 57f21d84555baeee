/** For supervisors: `/healthz` says that the process answers, `/readyz` that it takes part in its run. */
import type { Hono } from "hono";
import type { SnapshotSource } from "./snapshot.ts";

/** Not yet, or not any more. */
const NOT_READY: ReadonlySet<string> = new Set(["starting", "fetching", "stopped"]);

export function healthRoutes(app: Hono, source: SnapshotSource): void {
  app.get("/healthz", (context) => context.json({ ok: true }));
  app.get("/readyz", (context) => {
    const { node, round } = source.snapshot();
    const ok = !NOT_READY.has(node.state);
    return context.json({ ok, state: node.state, round }, ok ? 200 : 503);
  });
}

/** The routes. All are for reading; there is nothing here that changes a node. */
import { Hono } from "hono";
import { etag } from "hono/etag";
import type { Clock } from "../core/index.ts";
import type { Asset } from "./assets.ts";
import type { EventStreams } from "./events.ts";
import { guard } from "./guard.ts";
import { healthRoutes } from "./health.ts";
import type { NodeMetrics } from "./metrics.ts";
import type { SnapshotSource } from "./snapshot.ts";

export interface AppDeps {
  readonly source: SnapshotSource;
  readonly metrics: NodeMetrics;
  readonly events: EventStreams;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly clock: Clock;
  /** Names that requests may come under, besides those of the loopback. */
  readonly hosts: readonly string[];
}

export function createApp({ source, metrics, events, assets, hosts }: AppDeps): Hono {
  const app = new Hono();
  app.use(guard(hosts));
  app.get("/api/snapshot", (context) => {
    context.header("cache-control", "no-store");
    return context.json(source.snapshot());
  });
  app.get("/api/events", (context) => events.answer(context));
  app.get("/metrics", async (context) => {
    const text = await metrics.text(source.snapshot());
    return context.body(text, 200, { "content-type": metrics.contentType });
  });
  healthRoutes(app, source);
  app.use(etag());
  for (const [path, { bytes, type }] of assets) {
    // Asked for again each time: a node that was updated shows its new page.
    app.get(path, (context) =>
      context.body(bytes, 200, { "content-type": type, "cache-control": "no-cache" }),
    );
  }
  app.notFound((context) => {
    const message = `expected a path of the dashboard, got ${context.req.path.slice(0, 200)}`;
    return context.json({ code: "NOT_FOUND", message }, 404);
  });
  return app;
}

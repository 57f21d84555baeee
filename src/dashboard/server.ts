/** The page's server: a service that listens on one address, the loopback unless told otherwise. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { type Clock, type Logger, type Service, StarlingError, messageOf } from "../core/index.ts";
import { createApp } from "./app.ts";
import { loadAssets } from "./assets.ts";
import { EventStreams } from "./events.ts";
import type { NodeMetrics } from "./metrics.ts";
import type { SnapshotSource } from "./snapshot.ts";

/** Guess: a few browsers, a few scrapers. */
const CONNECTIONS_MAX = 128;
const REQUEST_TIMEOUT_MS = 10_000;

export interface DashboardOptions {
  /** An address of this machine, without brackets. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** When the port is taken, take any free one instead. */
  readonly otherPort: boolean;
  /** Names that requests may come under besides the loopback's and `host`. */
  readonly names: readonly string[];
}

export interface DashboardDeps {
  readonly source: SnapshotSource;
  readonly metrics: NodeMetrics;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Dashboard extends Service {
  /** Where it listens, such as `http://127.0.0.1:4780/`; null before the start. */
  url(): string | null;
}

/** Not yet listening. `start` throws `DASHBOARD_LISTEN_FAILED`. */
export function createDashboard(
  options: DashboardOptions,
  { source, metrics, clock, log }: DashboardDeps,
): Dashboard {
  const { host, port, otherPort, names } = options;
  const events = new EventStreams({ source, clock });
  let server: ReturnType<typeof createAdaptorServer> | undefined;

  async function listen(at: number): Promise<void> {
    server?.listen(at, host);
    await once(server as NonNullable<typeof server>, "listening");
  }

  return {
    name: "dashboard",
    async start() {
      const hosts = [host.includes(":") ? `[${host}]` : host, ...names];
      const app = createApp({ source, metrics, events, assets: await loadAssets(), clock, hosts });
      app.onError((error, context) => {
        log.error("dashboard request failed", { error: error.stack ?? error.message });
        return context.json({ code: "BUG", message: error.message }, 500);
      });
      server = createAdaptorServer({
        fetch: app.fetch,
        serverOptions: { requestTimeout: REQUEST_TIMEOUT_MS },
      });
      if ("maxConnections" in server) server.maxConnections = CONNECTIONS_MAX;
      try {
        await listen(port).catch(async (error: NodeJS.ErrnoException) => {
          if (error.code !== "EADDRINUSE" || !otherPort) throw error;
          await listen(0);
        });
      } catch (error) {
        throw new StarlingError(
          "DASHBOARD_LISTEN_FAILED",
          `expected to show the dashboard on ${host} port ${port}: ${messageOf(error)}; choose another with --dashboard, or --no-dashboard`,
          { cause: error },
        );
      }
      log.debug("dashboard is open", { host, port });
    },
    async stop() {
      events.close();
      if (server === undefined || !server.listening) return;
      const closed = once(server, "close");
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
    },
    url() {
      const address = server?.address() as AddressInfo | null | undefined;
      if (!address) return null;
      const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
      return `http://${name}:${address.port}/`;
    },
  };
}

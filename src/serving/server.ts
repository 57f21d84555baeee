/** The server: listens on one address, the loopback unless there are keys, and ends when the texts under way have. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { type Clock, type Logger, type Service, StarlingError, messageOf } from "../core/index.ts";
import { createApp } from "./app.ts";
import { isLoopback } from "./guard.ts";
import { type ApiKey, KeyRing } from "./keys.ts";
import { createServingMetrics } from "./metrics.ts";
import { Turns, type TurnsOptions } from "./turns.ts";
import type { UsageBook } from "./usage.ts";
import type { Writer } from "./writer.ts";

/** Guess: as many clients as may write and wait, several times over. */
const CONNECTIONS_MAX = 512;
/** Of a request's head and body, not of its answer. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Texts under way may take so long to end when the server stops. Guess. */
const STOP_GRACE_MS = 30_000;

export interface ServingOptions extends TurnsOptions {
  /** An address of this machine, without brackets. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly keys: readonly ApiKey[];
  readonly stopGraceMs?: number;
}

export interface ServingDeps {
  readonly writer: Writer;
  readonly usage: UsageBook;
  readonly nowSeconds: () => number;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Serving extends Service {
  /** What clients are given as base URL; null before the start. */
  url(): string | null;
}

/**
 * Not yet listening. `start` throws `SERVE_LISTEN_FAILED`.
 * @throws StarlingError `SERVE_NEEDS_KEYS` for an address that others reach, without keys; `SERVE_KEYS_INVALID`
 */
export function createServing(options: ServingOptions, deps: ServingDeps): Serving {
  const { host, port, stopGraceMs = STOP_GRACE_MS } = options;
  const { clock, log } = deps;
  const keys = new KeyRing(options.keys);
  if (keys.isEmpty && !isLoopback(host)) {
    throw new StarlingError(
      "SERVE_NEEDS_KEYS",
      `expected API keys to serve on ${host}, which others may reach: give --keys or --key, or listen on 127.0.0.1`,
    );
  }
  const turns = new Turns(options, clock);
  const metrics = createServingMetrics({ ...deps, turns });
  const closing = new AbortController();
  let isStopping = false;
  const app = createApp({
    ...deps,
    keys,
    turns,
    metrics,
    isStopping: () => isStopping,
    closing: closing.signal,
  });
  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: { requestTimeout: REQUEST_TIMEOUT_MS },
  }) as Server;
  server.maxConnections = CONNECTIONS_MAX;

  return {
    name: "serving",
    async start() {
      try {
        server.listen(port, host);
        await once(server, "listening");
      } catch (error) {
        throw new StarlingError(
          "SERVE_LISTEN_FAILED",
          `expected to serve on ${host} port ${port}: ${messageOf(error)}; choose another with --listen`,
          { cause: error },
        );
      }
    },
    async stop() {
      if (!server.listening) return;
      isStopping = true;
      const closed = once(server, "close");
      server.close();
      const grace = new AbortController();
      const waited = clock.sleep(stopGraceMs, grace.signal).catch(messageOf);
      await Promise.race([turns.idle(), waited]);
      grace.abort();
      if (turns.writing > 0) log.warn("texts are broken off", { texts: turns.writing });
      closing.abort(new Error("the server is stopping"));
      server.closeAllConnections();
      await closed;
      await turns.idle();
    },
    url() {
      const address = server.address() as AddressInfo | null;
      if (!address) return null;
      const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
      return `http://${name}:${address.port}/v1`;
    },
  };
}

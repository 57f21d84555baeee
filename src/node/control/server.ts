/**
 * The daemon's side of the control socket: HTTP with JSON bodies over a Unix socket or named pipe that only the user
 * who started the daemon can open. Every answer is JSON; errors are `{ code, message }`.
 */
import { once } from "node:events";
import { rm } from "node:fs/promises";
import type { IncomingMessage, Server } from "node:http";
import { finished } from "node:stream/promises";
import { type HttpBindings, createAdaptorServer } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { type Logger, type Service, StarlingError, messageOf } from "../../core/index.ts";
import { isListening } from "./client.ts";
import { controlPath } from "./path.ts";
import { type ControlTarget, REQUEST_BYTES_MAX, checked, routes, stopBody, streams } from "./routes.ts";

/** Guess: people and scripts on one machine. */
const CONNECTIONS_MAX = 64;
/** Guess: requests are small and local. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface ControlOptions {
  /** Must exist. */
  readonly dataDir: string;
  readonly target: ControlTarget;
  /** Asked by `POST /stop`. Should lead to `stop()` of this service, which sends the answer. */
  readonly requestStop: () => void;
  readonly log: Logger;
}

/**
 * A service that answers on the data folder's control socket. Throws `DATA_DIR_IN_USE` on start when another daemon
 * answers there; a socket that a dead one left behind is replaced.
 */
export function createControl(options: ControlOptions): Service {
  const { dataDir, target, requestStop, log } = options;
  const stopped = Promise.withResolvers<void>();
  const farewells = new Set<Promise<void>>();
  const app = new Hono<{ Bindings: HttpBindings }>();
  for (const [name, route] of routes) {
    const [method, path] = name.split(" ") as [string, string];
    app.on(method, path, async (context) => answer(context, await route(target, await bodyOf(context))));
  }
  for (const [name, stream] of streams) {
    const [method, path] = name.split(" ") as [string, string];
    app.on(method, path, async (context) => streamed(stream(target, await bodyOf(context))));
  }
  // Answered when all else has stopped (see `stop`): whoever gets the answer may start a new daemon at once.
  app.post("/stop", async (context) => {
    const { when } = checked(stopBody, (await bodyOf(context)) ?? { when: "now" });
    if (when !== "now") await target.farewell(when);
    farewells.add(sentOrGone(context.env.outgoing));
    requestStop();
    await stopped.promise;
    return answer(context, { stopped: true });
  });
  app.notFound((context) => {
    throw unknownRoute(`${context.req.method} ${context.req.path.slice(0, 200)}`);
  });
  app.onError((error, context) => {
    if (error instanceof StarlingError) {
      const { code, message } = error;
      return answer(context, { code, message }, HTTP_STATUS[code] ?? 409);
    }
    log.error("control request failed", { error: error.stack ?? messageOf(error) });
    return answer(context, { code: "BUG", message: messageOf(error) }, 500);
  });
  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: { requestTimeout: REQUEST_TIMEOUT_MS },
  }) as Server;
  server.maxConnections = CONNECTIONS_MAX;

  async function sentOrGone(outgoing: HttpBindings["outgoing"]): Promise<void> {
    await finished(outgoing).catch((error: unknown) => {
      log.debug("asked to stop by somebody who did not wait", { error: messageOf(error) });
    });
  }

  return {
    name: "control",
    async start() {
      const path = await controlPath(dataDir);
      await assertDataIsFree(dataDir);
      await removeStale(path);
      await listenPrivately(server, path);
      log.debug("control socket is open", { path });
    },
    async stop() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      stopped.resolve();
      await Promise.all(farewells);
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Any code that is not here is an operating error of the node: 409, "not in this state". */
const HTTP_STATUS: Readonly<Record<string, number | undefined>> = {
  CONTROL_BAD_REQUEST: 400,
  CONTROL_BAD_JSON: 400,
  CONTROL_UNKNOWN_ROUTE: 404,
  CONTROL_BODY_TOO_LARGE: 413,
};

function unknownRoute(name: string): StarlingError {
  const known = [...routes.keys(), ...streams.keys(), "POST /stop"].join(", ");
  return new StarlingError("CONTROL_UNKNOWN_ROUTE", `expected one of ${known}, got ${name}`);
}

type ControlContext = Context<{ Bindings: HttpBindings }>;

/** One request per connection: nothing idle is left to wait for when the daemon stops. */
function answer(context: ControlContext, value: unknown, status = 200): Response {
  return context.json(value as never, status as never, { connection: "close" });
}

function bodyOf({ env }: ControlContext): Promise<unknown> {
  return readJson(env.incoming as IncomingMessage);
}

/**
 * What goes wrong before the first part is an error as usual; later it breaks the answer off. When whoever asked has gone,
 * the rest is not made.
 */
async function streamed(parts: AsyncGenerator<string>): Promise<Response> {
  const first = await parts.next();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      if (first.done === true) controller.close();
      else controller.enqueue(Buffer.from(first.value));
    },
    pull: async (controller) => {
      const { done, value } = await parts.next();
      if (done === true) controller.close();
      else controller.enqueue(Buffer.from(value));
    },
    cancel: async () => void (await parts.return(undefined)),
  });
  return new Response(body, {
    headers: { "content-type": "text/plain; charset=utf-8", connection: "close" },
  });
}

/** The parsed body, undefined for an empty one. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Left open when we stop reading, so that the answer can still be sent; then the connection is closed.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes <= REQUEST_BYTES_MAX) chunks.push(chunk);
    // Read on for a while, so that a caller that is still sending gets to see the answer.
    else if (bytes > 16 * REQUEST_BYTES_MAX) break;
  }
  if (bytes > REQUEST_BYTES_MAX) {
    throw new StarlingError(
      "CONTROL_BODY_TOO_LARGE",
      `expected a body of at most ${REQUEST_BYTES_MAX} bytes, got more`,
    );
  }
  if (bytes === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } catch (error) {
    // Translated: the caller's bytes, not our bug.
    throw new StarlingError("CONTROL_BAD_JSON", `expected a JSON body: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Before anything in the folder is opened. Throws `DATA_DIR_IN_USE` when a daemon answers on its control socket. */
export async function assertDataIsFree(dataDir: string): Promise<void> {
  if (!(await isListening(await controlPath(dataDir)))) return;
  throw new StarlingError(
    "DATA_DIR_IN_USE",
    `expected a data folder that no node uses, but one runs on ${dataDir}; ` +
      `stop it with "starling stop --data ${dataDir}" or choose another folder`,
  );
}

/** A daemon that was killed leaves its socket behind, and nobody can listen on that again. */
async function removeStale(path: string): Promise<void> {
  if (process.platform !== "win32") await rm(path, { force: true });
}

async function listenPrivately(server: Server, path: string): Promise<void> {
  const listening = once(server, "listening");
  // `listen` binds before it returns, so the socket is born with mode 0600 and never open to others.
  const umask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(umask);
  }
  await listening;
}

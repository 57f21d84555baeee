/**
 * The daemon's side of the control socket: HTTP with JSON bodies over a Unix socket or named pipe that only the user
 * who started the daemon can open. Every answer is JSON; errors are `{ code, message }`.
 */
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { finished } from "node:stream/promises";
import { type Logger, type Service, StarlingError, messageOf } from "../core/index.ts";
import { isListening } from "./control-client.ts";
import { controlPath } from "./control-path.ts";
import { type ControlTarget, REQUEST_BYTES_MAX, routes } from "./control-routes.ts";

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
 * A service that answers on the data folder's control socket. Throws `DATA_IN_USE` on start when another daemon
 * answers there; a socket that a dead one left behind is replaced.
 */
export function createControl(options: ControlOptions): Service {
  const { dataDir, target, requestStop, log } = options;
  const waitingForStop = new Set<ServerResponse>();
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    void answer(request, response);
  });
  server.maxConnections = CONNECTIONS_MAX;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = `${request.method ?? ""} ${(request.url ?? "").slice(0, 200)}`;
    try {
      const body = await readJson(request);
      if (name === "POST /stop") {
        // Answered when all else has stopped (see `stop`): whoever gets the answer may start a new daemon at once.
        waitingForStop.add(response);
        requestStop();
        return;
      }
      const route = routes.get(name);
      if (route === undefined) throw unknownRoute(name);
      send(response, 200, await route(target, body));
    } catch (error) {
      // The outermost door of a request: the caller gets the error as JSON, the node goes on.
      if (request.destroyed && !request.complete) log.debug("control request was broken off", { name });
      else refuse(response, error);
    }
  }

  function refuse(response: ServerResponse, error: unknown): void {
    if (error instanceof StarlingError) {
      send(response, HTTP_STATUS[error.code] ?? 409, { code: error.code, message: error.message });
    } else {
      log.error("control request failed", { error: error instanceof Error ? error.stack : messageOf(error) });
      send(response, 500, { code: "BUG", message: messageOf(error) });
    }
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
      const farewells = [...waitingForStop].map((response) => {
        const sent = finished(response).catch((error: unknown) => {
          log.debug("asked to stop by somebody who did not wait", { error: messageOf(error) });
        });
        send(response, 200, { stopped: true });
        return sent;
      });
      await Promise.all(farewells);
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Any code that is not here is an operating error of the node: 409, "not in this state". */
const HTTP_STATUS: Readonly<Record<string, number>> = {
  CONTROL_BAD_REQUEST: 400,
  CONTROL_BAD_JSON: 400,
  CONTROL_UNKNOWN_ROUTE: 404,
  CONTROL_BODY_TOO_LARGE: 413,
};

function unknownRoute(name: string): StarlingError {
  const known = [...routes.keys(), "POST /stop"].join(", ");
  return new StarlingError("CONTROL_UNKNOWN_ROUTE", `expected one of ${known}, got ${name}`);
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  // One request per connection: nothing idle is left to wait for when the daemon stops.
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": body.length,
    connection: "close",
  });
  response.end(body);
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

/** Before anything in the folder is opened. Throws `DATA_IN_USE` when a daemon answers on its control socket. */
export async function assertDataIsFree(dataDir: string): Promise<void> {
  if (!(await isListening(await controlPath(dataDir)))) return;
  throw new StarlingError(
    "DATA_IN_USE",
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

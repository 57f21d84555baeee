/** The commands' side of the control socket: finds the daemon of a data folder and asks it. */
import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { type Cid, StarlingError, messageOf } from "../../core/index.ts";
import type { GenerateOptions } from "../../trainer/index.ts";
import { controlPath } from "./path.ts";
import { RESPONSE_BYTES_MAX, type When } from "./routes.ts";
import { type Credits, type CreditsPage, collectCredits } from "../credits/credits.ts";
import type { RunListing } from "../runs/listing.ts";
import type { NodeStatus } from "../status.ts";
import type { ProposalStatus } from "../succession/succession.ts";

/** Guesses: a status is a look at memory; credits are a walk through it; an export writes gigabytes for a large model; stopping saves the state. */
const STATUS_TIMEOUT_MS = 15_000;
const CREDITS_TIMEOUT_MS = 60_000;
/** Guess: each record that is not here is asked for within seconds. */
const PROPOSALS_TIMEOUT_MS = 3 * 60_000;
const EXPORT_TIMEOUT_MS = 30 * 60_000;
const GENERATE_TIMEOUT_MS = 60 * 60_000;
const STOP_TIMEOUT_MS = 2 * 60_000;
/** A round takes as long as its manifest lets it: up to a week. */
const FAREWELL_TIMEOUT_MS = 8 * 24 * 3_600_000;

/** A running daemon. Every call throws the daemon's own `StarlingError`, or `CONTROL_FAILED` when it went away. */
export interface ControlClient {
  status(): Promise<NodeStatus>;
  /** `out` must be absolute. The files written. */
  exportTo(out: string): Promise<string[]>;
  /** What the settled model writes, as it comes. */
  generate(options: GenerateOptions): AsyncGenerator<string>;
  /** All that has been minted. */
  credits(): Promise<Credits>;
  /** Ends the round under way after its step and trains no more; the status then. */
  pause(): Promise<NodeStatus>;
  resume(): Promise<NodeStatus>;
  /** Live runs that nodes tell of, the node's own among them. Throws `RUNS_UNLISTED`. */
  runs(): Promise<RunListing[]>;
  /** Proposed successors of the run, the most supported first. */
  proposals(): Promise<ProposalStatus[]>;
  /** Proposes a successor and supports it; its CID. */
  propose(manifest: unknown, withinRounds: number): Promise<Cid>;
  /** Supports a proposal, or none; all of them then. */
  support(proposal: Cid | null): Promise<ProposalStatus[]>;
  /** Resolves when the node has stopped and its data folder is free again; `when`: after what. */
  stop(when?: When): Promise<void>;
}

/** The daemon that runs on a data folder, or undefined when none does. */
export async function connectControl(dataDir: string): Promise<ControlClient | undefined> {
  const path = await pathIfThere(dataDir);
  if (path === undefined || !(await isListening(path))) return undefined;
  return {
    status: async () =>
      (await call({ path, route: "GET /status", timeoutMs: STATUS_TIMEOUT_MS })) as NodeStatus,
    exportTo: async (out) => {
      const answer = await call({ path, route: "POST /export", body: { out }, timeoutMs: EXPORT_TIMEOUT_MS });
      return (answer as { files: string[] }).files;
    },
    generate: (body) => callStream({ path, route: "POST /generate", body, timeoutMs: GENERATE_TIMEOUT_MS }),
    credits: () =>
      collectCredits(async (fromRound) => {
        const body = { fromRound };
        const answer = await call({ path, route: "POST /credits", body, timeoutMs: CREDITS_TIMEOUT_MS });
        return answer as CreditsPage;
      }),
    pause: async () =>
      (await call({ path, route: "POST /pause", timeoutMs: STATUS_TIMEOUT_MS })) as NodeStatus,
    resume: async () =>
      (await call({ path, route: "POST /resume", timeoutMs: STATUS_TIMEOUT_MS })) as NodeStatus,
    runs: async () =>
      (await call({ path, route: "GET /runs", timeoutMs: CREDITS_TIMEOUT_MS })) as RunListing[],
    proposals: async () =>
      (await call({ path, route: "GET /proposals", timeoutMs: PROPOSALS_TIMEOUT_MS })) as ProposalStatus[],
    propose: async (manifest, withinRounds) => {
      const body = { manifest, withinRounds };
      const answer = await call({ path, route: "POST /propose", body, timeoutMs: PROPOSALS_TIMEOUT_MS });
      return (answer as { proposal: Cid }).proposal;
    },
    support: async (proposal) => {
      const given = { path, route: "POST /support", body: { proposal }, timeoutMs: PROPOSALS_TIMEOUT_MS };
      return (await call(given)) as ProposalStatus[];
    },
    stop: async (when = "now") => {
      const timeoutMs = when === "now" ? STOP_TIMEOUT_MS : FAREWELL_TIMEOUT_MS;
      await call({ path, route: "POST /stop", body: { when }, timeoutMs });
    },
  };
}

/** Whether somebody accepts connections on a socket or pipe; a file that a dead daemon left does not. */
export async function isListening(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    // Decides: these two mean "nobody there"; anything else (no permission, say) is the user's to know.
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ECONNREFUSED") return false;
    throw new StarlingError("CONTROL_UNREACHABLE", `cannot open ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    socket.destroy();
  }
}

async function pathIfThere(dataDir: string): Promise<string | undefined> {
  try {
    return await controlPath(dataDir);
  } catch (error) {
    // No folder, no daemon.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

interface Call {
  readonly path: string;
  /** Method and path, such as `GET /status`. */
  readonly route: string;
  readonly body?: unknown;
  readonly timeoutMs: number;
}

async function call(given: Call): Promise<unknown> {
  const { response, text } = await translated(given, async (signal) => {
    const answer = await send(given, signal);
    return { response: answer, text: await readText(answer) };
  });
  const value = JSON.parse(text) as unknown;
  if (response.statusCode === 200) return value;
  throw refusalIn(value);
}

async function* callStream(given: Call): AsyncGenerator<string> {
  const signal = AbortSignal.timeout(given.timeoutMs);
  const response = await translated(given, () => send(given, signal));
  if (response.statusCode !== 200) throw refusalIn(JSON.parse(await readText(response)));
  response.setEncoding("utf8");
  try {
    for await (const part of response as AsyncIterable<string>) yield part;
  } catch (error) {
    throw brokenOff(given, error, signal);
  } finally {
    response.destroy();
  }
}

function send({ path, route, body }: Call, signal: AbortSignal): Promise<IncomingMessage> {
  const [method, url] = route.split(" ") as [string, string];
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath: path, method, path: url, agent: false, signal });
    // The error listener stays: a connection may also break after the answer has begun.
    request.on("response", resolve).on("error", reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function translated<T>(given: Call, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(given.timeoutMs);
  try {
    return await ask(signal);
  } catch (error) {
    throw brokenOff(given, error, signal);
  }
}

/** Translated: says which request of ours failed. */
function brokenOff({ path, route, timeoutMs }: Call, cause: unknown, signal: AbortSignal): StarlingError {
  const reason = signal.aborted ? `no answer within ${timeoutMs / 1000} s` : messageOf(cause);
  return new StarlingError("CONTROL_FAILED", `${route} over ${path}: ${reason}; see the daemon's log`, {
    cause,
  });
}

function refusalIn(value: unknown): StarlingError {
  const { code, message } = value as { code: string; message: string };
  return new StarlingError(code, message);
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > RESPONSE_BYTES_MAX) throw new Error(`expected at most ${RESPONSE_BYTES_MAX} bytes, got more`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

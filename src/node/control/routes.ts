/**
 * What can be asked over the control socket, as data: one entry per route with the shape of its body. The client and
 * the server are both written against this file. Whoever can open the socket (mode 0600) owns the node.
 */
import { isAbsolute } from "node:path";
import { z } from "zod";
import { type Cid, StarlingError, parseCid } from "../../core/index.ts";
import type { GenerateOptions } from "../../trainer/index.ts";
import type { CreditsPage } from "../credits/credits.ts";
import type { Until } from "../round/farewell.ts";
import type { RunListing } from "../runs/listing.ts";
import type { NodeStatus } from "../status.ts";
import type { ProposalStatus } from "../succession/succession.ts";

/** Guess: a path or a prompt, never data. */
export const REQUEST_BYTES_MAX: number = 64 * 1024;
/** Guess: a status with a curve of some ten thousand points. */
export const RESPONSE_BYTES_MAX: number = 16 * 1024 * 1024;

/** What the socket gives access to: the running node, seen from outside. */
export interface ControlTarget {
  status(): NodeStatus;
  exportTo(out: string): Promise<string[]>;
  generate(options: GenerateOptions): AsyncGenerator<string>;
  credits(fromRound: number): CreditsPage;
  pause(): void;
  resume(): void;
  farewell(until: Until): Promise<void>;
  proposals(): Promise<ProposalStatus[]>;
  propose(manifest: unknown, withinRounds: number): Promise<Cid>;
  support(proposal: Cid | null): Promise<void>;
  runs(): Promise<RunListing[]>;
}

const exportBody = z.strictObject({
  // The daemon's working folder is not the caller's.
  out: z.string().max(4096).refine(isAbsolute, "expected an absolute path"),
});
const generateBody: z.ZodType<GenerateOptions> = z.strictObject({
  prompt: z.string().max(16 * 1024),
  tokensMax: z.int().min(1).max(1_000_000),
  temperature: z.number().min(0).max(100),
  topP: z.number().gt(0).max(1),
  seed: z.string().max(256),
});
/** `now`: without waiting for anything. */
export type When = "now" | Until;
export const stopBody: z.ZodType<{ when: When }> = z.strictObject({
  when: z.enum(["now", "round", "cited"]),
});
const creditsBody = z.strictObject({ fromRound: z.int().min(0) });

/** The manifest is checked where it is read. */
const proposeBody = z.strictObject({ manifest: z.unknown(), withinRounds: z.int().min(1).max(1_000_000) });
const supportBody = z.strictObject({
  proposal: z
    .custom<Cid>((value) => typeof value === "string" && parseCid(value) !== undefined, "expected a CID")
    .nullable(),
});

type Route = (target: ControlTarget, body: unknown) => unknown;

/** By method and path; `POST /stop` is the server's own (control.ts). */
export const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["GET /status", (target) => target.status()],
  ["POST /export", async (target, body) => ({ files: await target.exportTo(checked(exportBody, body).out) })],
  [
    "POST /pause",
    (target) => {
      target.pause();
      return target.status();
    },
  ],
  [
    "POST /resume",
    (target) => {
      target.resume();
      return target.status();
    },
  ],
  ["GET /runs", (target) => target.runs()],
  ["GET /proposals", (target) => target.proposals()],
  [
    "POST /propose",
    async (target, body) => {
      const { manifest, withinRounds } = checked(proposeBody, body);
      return { proposal: await target.propose(manifest, withinRounds) };
    },
  ],
  [
    "POST /support",
    async (target, body) => {
      await target.support(checked(supportBody, body).proposal);
      return target.proposals();
    },
  ],
  ["POST /credits", (target, body) => target.credits(checked(creditsBody, body).fromRound)],
]);

type Stream = (target: ControlTarget, body: unknown) => AsyncGenerator<string>;

/** The same for answers that come bit by bit, as plain text. */
export const streams: ReadonlyMap<string, Stream> = new Map<string, Stream>([
  ["POST /generate", (target, body) => target.generate(checked(generateBody, body))],
]);

export function checked<T>(shape: z.ZodType<T>, body: unknown): T {
  const result = shape.safeParse(body);
  if (result.success) return result.data;
  throw new StarlingError("CONTROL_BAD_REQUEST", z.prettifyError(result.error));
}

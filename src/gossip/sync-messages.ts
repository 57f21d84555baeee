/**
 * What is said on the sync protocol, as DAG-CBOR. Headers are opaque bytes here: whoever asked judges them. All
 * decoders give a verdict for any bytes and never throw; their input is bounded by the frame they came in.
 */
import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { z } from "zod";
import {
  type Cid,
  type Digest,
  type Verdict,
  accept,
  assert,
  checkCid,
  digestFromBytes,
  digestToBytes,
  messageOf,
  parseCid,
  reject,
} from "../core/index.ts";
import { PHASES_MAX } from "./names.ts";

/** 256 ids of about 41 bytes are 10.5 kB. */
export const SYNC_REQUEST_BYTES_MAX: number = 16 * 1024;
/** What a joiner reads at once; `more` says that there is more. */
export const SYNC_REPLY_BYTES_MAX: number = 1024 * 1024;
export const SYNC_IDS_MAX: number = 256;
/** The same bound as on gossip: a message is below 64 KiB. */
export const HEADER_BYTES_MAX: number = 64 * 1024 - 1;
/** Room for the framing of a reply, and what a source is told to keep to. */
const REPLY_OVERHEAD_BYTES = 64;
/** CBOR's length prefix of one header. */
const HEADER_OVERHEAD_BYTES = 5;

export type HeadersRequest = { phase: number; fromRound: number } | { ids: readonly Cid[] };
/** A settled state. */
export interface StateName {
  phase: number;
  round: number;
  root: Digest;
}
export type SyncRequest = HeadersRequest | StateName;
export interface SyncReply {
  headers: Uint8Array[];
  more: boolean;
}

/** A header's round is an int32, and its phase one that has a topic; whoever serves may take both for granted. */
const round = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);
const phase = z
  .int()
  .min(0)
  .max(PHASES_MAX - 1);
const link = z.custom<CID>().transform((value, context): Cid => {
  const cid = CID.asCID(value);
  if (cid !== null && checkCid(cid) !== undefined) return cid.toString() as Cid;
  context.addIssue("expected a CIDv1 with sha2-256");
  return z.NEVER;
});
const digest = z
  .instanceof(Uint8Array)
  .refine((bytes) => bytes.length === 32, "expected 32 bytes")
  .transform(digestFromBytes);
const requestSchema = z.union([
  z.strictObject({ phase, round, root: digest }),
  z.strictObject({ phase, fromRound: round }),
  z.strictObject({ ids: z.array(link).max(SYNC_IDS_MAX) }),
]);
const replySchema = z.strictObject({
  headers: z.array(z.instanceof(Uint8Array).refine((header) => header.length <= HEADER_BYTES_MAX)),
  more: z.boolean(),
});

const stateReplySchema = z.strictObject({ base: link.nullable() });

export function encodeRequest(request: SyncRequest): Uint8Array {
  if ("root" in request) return dagCbor.encode({ ...request, root: digestToBytes(request.root) });
  if (!("ids" in request)) return dagCbor.encode(request);
  assert(request.ids.length <= SYNC_IDS_MAX, `at most ${SYNC_IDS_MAX} ids in one request`);
  return dagCbor.encode({ ids: request.ids.map((id) => parseCid(id)) });
}

export function decodeRequest(bytes: Uint8Array): Verdict<SyncRequest> {
  return decodeAs("SYNC_REQUEST", requestSchema, bytes);
}

/** Keeps as many headers, from the first, as fit the bound; what is left out shows in `more`. */
export function encodeReply(reply: SyncReply): Uint8Array {
  let leftBytes = SYNC_REPLY_BYTES_MAX - REPLY_OVERHEAD_BYTES;
  const headers: Uint8Array[] = [];
  for (const header of reply.headers) {
    leftBytes -= header.length + HEADER_OVERHEAD_BYTES;
    if (leftBytes < 0) break;
    headers.push(header);
  }
  return dagCbor.encode({ headers, more: reply.more || headers.length < reply.headers.length });
}

export function decodeReply(bytes: Uint8Array): Verdict<SyncReply> {
  return decodeAs("SYNC_REPLY", replySchema, bytes);
}

/** `base`: the body that tells of the state; null when it is not held. */
export function encodeStateReply(base: Cid | undefined): Uint8Array {
  return dagCbor.encode({ base: base === undefined ? null : parseCid(base) });
}

export function decodeStateReply(bytes: Uint8Array): Verdict<{ base: Cid | null }> {
  return decodeAs("SYNC_REPLY", stateReplySchema, bytes);
}

function decodeAs<T>(code: string, schema: z.ZodType<T>, bytes: Uint8Array): Verdict<T> {
  let value: unknown;
  try {
    value = dagCbor.decode(bytes);
  } catch (error) {
    // Any bytes may come; those that are no DAG-CBOR are the sender's fault.
    return reject(code, `expected DAG-CBOR: ${messageOf(error)}`);
  }
  const parsed = schema.safeParse(value);
  return parsed.success ? accept(parsed.data) : reject(code, z.prettifyError(parsed.error));
}

/**
 * The header of a contribution: canonical DAG-CBOR, signed with the author's Ed25519 key; its CID is its id.
 * Parsing is total: any bytes give a verdict. Signatures are checked by the caller, because libp2p's keys may be
 * asynchronous; everything that the header alone can show is checked here.
 */
import { decode, encode } from "@ipld/dag-cbor";
import { base58btc } from "multiformats/bases/base58";
import { CID } from "multiformats/cid";
import { z } from "zod";
import {
  type Cid,
  type ContributionId,
  DAG_CBOR,
  type Digest,
  type PeerId,
  type RunId,
  type Verdict,
  accept,
  checkCid,
  cidOf,
  digestFromBytes,
  digestToBytes,
  parseCid,
  reject,
} from "../core/index.ts";
import { isEd25519PeerId } from "./author-key.ts";

export const HEADER_VERSION = 1;
/** Gossip messages stay under 64 KiB; 1,024 parents of 36 bytes fit. */
export const HEADER_BYTES_MAX: number = 64 * 1024 - 1;
const PARENTS_MAX = 1024;
const EVIDENCE_MAX = 16;
const ROUND_MAX = 2 ** 31 - 1;
const DETAIL_CHARS_MAX = 200;
const SIGNING_DOMAIN = new TextEncoder().encode("starling/1/contribution\n");

export interface Settled {
  /** How many rounds of the phase are folded into the root: every round below this one. */
  readonly round: number;
  readonly root: Digest;
}

export interface DeltaLink {
  readonly cid: Cid;
  readonly bytes: number;
  /** floor(sqrt(sum of squares)) of the decoded integers. */
  readonly norm: number;
}

export interface Work {
  readonly steps: number;
  readonly tokens: number;
  /** Mean nats per token of the first and last inner step; null where losses are private or no step was done. */
  readonly lossFirst: number | null;
  readonly lossLast: number | null;
  /** Seed of the batches (public data). */
  readonly data: Digest;
  readonly stateBefore: Digest;
  readonly stateAfter: Digest;
  readonly engine: string;
}

export interface UnsignedHeader {
  readonly v: typeof HEADER_VERSION;
  readonly run: RunId;
  readonly phase: number;
  readonly round: number;
  readonly author: PeerId;
  /** Sorted by their base32 text; all of the round before; none in round 0. */
  readonly parents: readonly ContributionId[];
  readonly settled: Settled;
  /** Root of the weights that training started from. */
  readonly start: Digest;
  readonly delta: DeltaLink | null;
  readonly work: Work;
  readonly evidence: readonly Cid[];
  readonly supports: Cid | null;
  readonly lot: { readonly reveal: Digest | null; readonly next: Digest };
}

export interface Header extends UnsignedHeader {
  readonly sig: Uint8Array;
}

export interface ParsedHeader {
  readonly id: ContributionId;
  readonly header: Header;
  /** What the signature covers. */
  readonly signedBytes: Uint8Array;
}

/** The bytes that the author signs: a domain line and the DAG-CBOR of the header without `sig`. */
export function signingBytes(header: UnsignedHeader): Uint8Array {
  return concat(SIGNING_DOMAIN, encode(toWire(header)));
}

/** The bytes that travel, and their CID. */
export function encodeHeader(
  header: UnsignedHeader,
  sig: Uint8Array,
): { id: ContributionId; bytes: Uint8Array } {
  const bytes = encode({ ...toWire(header), sig });
  return { id: idOf(bytes), bytes };
}

/** The id of a header's bytes. */
export function idOf(bytes: Uint8Array): ContributionId {
  return cidOf(bytes, DAG_CBOR) as ContributionId;
}

/** Checks all that a header alone can show. `HEADER_TOO_LARGE`, `HEADER_MALFORMED` or `HEADER_NOT_CANONICAL`. */
export function parseHeader(bytes: Uint8Array): Verdict<ParsedHeader> {
  if (bytes.length > HEADER_BYTES_MAX) {
    return reject("HEADER_TOO_LARGE", `expected at most ${HEADER_BYTES_MAX} bytes, got ${bytes.length}`);
  }
  let decoded: unknown;
  try {
    decoded = decode(bytes);
  } catch (error) {
    // The decoder throws on anything that is not DAG-CBOR; for us that is a verdict.
    return reject("HEADER_MALFORMED", `expected DAG-CBOR: ${(error as Error).message}`);
  }
  const result = wireSchema.safeParse(decoded);
  if (!result.success) {
    const [issue] = result.error.issues;
    const detail = `field ${issue?.path.join(".") || "(all)"}: ${issue?.message ?? ""}`;
    // It quotes unknown fields, which the sender named.
    return reject("HEADER_MALFORMED", detail.slice(0, DETAIL_CHARS_MAX));
  }
  const header = fromWire(result.data);
  const { sig, ...unsigned } = header;
  const again = encodeHeader(unsigned, sig);
  if (Buffer.compare(again.bytes, bytes) !== 0) {
    return reject("HEADER_NOT_CANONICAL", "expected the one canonical encoding of these fields");
  }
  return accept({ id: again.id, header, signedBytes: signingBytes(unsigned) });
}

// The wire form: digests and the author as bytes, CIDs as links.

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, "expected bytes");
const bytes32 = bytes.refine((b) => b.length === 32, "expected 32 bytes");
const link = z.custom<CID>((value) => {
  const cid = CID.asCID(value);
  return cid !== null && checkCid(cid) !== undefined;
}, "expected a CIDv1 with sha2-256");
const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const loss = z.number().min(0).max(1e6).nullable();

const wireSchema = z
  .strictObject({
    v: z.literal(HEADER_VERSION),
    run: link,
    phase: z.int().min(0).max(6),
    round: z.int().min(0).max(ROUND_MAX),
    author: bytes.refine(isEd25519PeerId, "expected an Ed25519 peer id"),
    parents: z.array(link).max(PARENTS_MAX).refine(isSorted, "expected sorted CIDs, each once"),
    settled: z.strictObject({ round: z.int().min(0).max(ROUND_MAX), root: bytes32 }),
    start: bytes32,
    delta: z
      .strictObject({
        cid: link,
        bytes: z
          .int()
          .min(1)
          .max(2 ** 40),
        norm: count,
      })
      .nullable(),
    work: z.strictObject({
      steps: z
        .int()
        .min(0)
        .max(2 ** 31),
      tokens: count,
      lossFirst: loss,
      lossLast: loss,
      data: bytes32,
      stateBefore: bytes32,
      stateAfter: bytes32,
      engine: z
        .string()
        .max(64)
        .regex(/^[\x20-\x7e]*$/, "expected printable ASCII"),
    }),
    evidence: z.array(link).max(EVIDENCE_MAX).refine(isSorted, "expected sorted CIDs, each once"),
    supports: link.nullable(),
    lot: z.strictObject({ reveal: bytes32.nullable(), next: bytes32 }),
    sig: bytes.refine((b) => b.length === 64, "expected 64 bytes of Ed25519 signature"),
  })
  .refine((h) => (h.round === 0) === (h.parents.length === 0), "expected no parents exactly in round 0")
  .refine((h) => (h.delta === null) === (h.work.steps === 0), "expected a delta exactly when steps > 0");

type Wire = z.infer<typeof wireSchema>;

function toWire(h: UnsignedHeader): Omit<Wire, "sig"> {
  return {
    v: h.v,
    run: toLink(h.run),
    phase: h.phase,
    round: h.round,
    author: base58btc.baseDecode(h.author),
    parents: h.parents.map(toLink),
    settled: { round: h.settled.round, root: digestToBytes(h.settled.root) },
    start: digestToBytes(h.start),
    delta: h.delta && { cid: toLink(h.delta.cid), bytes: h.delta.bytes, norm: h.delta.norm },
    work: {
      steps: h.work.steps,
      tokens: h.work.tokens,
      lossFirst: h.work.lossFirst,
      lossLast: h.work.lossLast,
      data: digestToBytes(h.work.data),
      stateBefore: digestToBytes(h.work.stateBefore),
      stateAfter: digestToBytes(h.work.stateAfter),
      engine: h.work.engine,
    },
    evidence: h.evidence.map(toLink),
    supports: h.supports && toLink(h.supports),
    lot: { reveal: h.lot.reveal && digestToBytes(h.lot.reveal), next: digestToBytes(h.lot.next) },
  };
}

function fromWire(w: Wire): Header {
  return {
    v: w.v,
    run: w.run.toString() as RunId,
    phase: w.phase,
    round: w.round,
    author: base58btc.baseEncode(w.author) as PeerId,
    parents: w.parents.map((cid) => cid.toString() as ContributionId),
    settled: { round: w.settled.round, root: digestFromBytes(w.settled.root) },
    start: digestFromBytes(w.start),
    delta: w.delta && { cid: w.delta.cid.toString() as Cid, bytes: w.delta.bytes, norm: w.delta.norm },
    work: {
      steps: w.work.steps,
      tokens: w.work.tokens,
      lossFirst: w.work.lossFirst,
      lossLast: w.work.lossLast,
      data: digestFromBytes(w.work.data),
      stateBefore: digestFromBytes(w.work.stateBefore),
      stateAfter: digestFromBytes(w.work.stateAfter),
      engine: w.work.engine,
    },
    evidence: w.evidence.map((cid) => cid.toString() as Cid),
    supports: w.supports && (w.supports.toString() as Cid),
    lot: { reveal: w.lot.reveal && digestFromBytes(w.lot.reveal), next: digestFromBytes(w.lot.next) },
    sig: w.sig,
  };
}

function toLink(cid: Cid): CID {
  const parsed = parseCid(cid);
  if (parsed === undefined) throw new Error(`assertion failed: our own CID ${cid} does not parse`);
  return parsed;
}

function isSorted(links: readonly CID[]): boolean {
  const texts = links.map(String);
  return texts.every((text, i) => i === 0 || (texts[i - 1] as string) < text);
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

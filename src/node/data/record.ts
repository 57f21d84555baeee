/**
 * What somebody cut for a run to learn from: the record of the shards, with source and licence, signed by who cut it. It
 * is a body of canonical DAG-CBOR; a manifest names it by its CID, so the signature is for people: who answers for it.
 */
import { decode, encode } from "@ipld/dag-cbor";
import type { PrivateKey } from "@libp2p/interface";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { CID } from "multiformats/cid";
import { z } from "zod";
import {
  type Cid,
  type PeerId,
  RAW,
  type Verdict,
  accept,
  checkCid,
  messageOf,
  parseCid,
  reject,
} from "../../core/index.ts";
import { type ShardName, shardTokensMax } from "../../trainer/index.ts";
import { isSignedBy } from "../keys/identity.ts";
import { isEd25519PeerId } from "../keys/peer-ids.ts";

export const RECORD_VERSION = 1;
/** About a million shards. */
export const RECORD_BYTES_MAX: number = 64 * 1024 * 1024;
const SIGNING_DOMAIN = new TextEncoder().encode("starling/1/data\n");

/** `bytes`, or the CID of a tokenizer.json. */
export type TokenizerName = "bytes" | Cid;

export interface UnsignedRecord {
  readonly v: typeof RECORD_VERSION;
  readonly author: PeerId;
  readonly source: string;
  readonly licence: string;
  readonly tokenizer: TokenizerName;
  readonly vocabulary: number;
  /** The share of the text that was to be held out; what is, the lists say. */
  readonly heldOutShare: number;
  /** Of text, before it became tokens. */
  readonly bytes: number;
  readonly documents: number;
  readonly train: readonly ShardName[];
  readonly heldOut: readonly ShardName[];
}

export interface DataRecord extends UnsignedRecord {
  readonly sig: Uint8Array; // (64,)
}

export const tokenizerNameSchema: z.ZodType<TokenizerName> = z.union([
  z.literal("bytes"),
  z.custom<Cid>((value) => typeof value === "string" && parseCid(value) !== undefined, "expected a CID"),
]);

const link = z.custom<CID>(
  (value) => value instanceof CID && checkCid(value)?.code === RAW,
  "expected a raw CID",
);
const shards = z.array(z.strictObject({ cid: link, tokens: z.int().min(1) }));
const text = z.string().max(256);

const recordSchema = z
  .strictObject({
    v: z.literal(RECORD_VERSION),
    author: z.custom<PeerId>(isEd25519PeerId, "expected the peer id of an Ed25519 key, in base58"),
    source: text,
    licence: text,
    tokenizer: tokenizerNameSchema,
    vocabulary: z
      .int()
      .min(2)
      .max(2 ** 20),
    heldOutShare: z.number().gt(0).lt(1),
    bytes: z.int().min(1),
    documents: z.int().min(0),
    train: shards.min(1),
    heldOut: shards,
    sig: z.instanceof(Uint8Array).refine((sig) => sig.length === 64, "expected 64 bytes"),
  })
  .refine(
    ({ vocabulary, train, heldOut }) =>
      [...train, ...heldOut].every(({ tokens }) => tokens <= shardTokensMax(vocabulary)),
    "expected shards of at most 1 MiB",
  );

/** Signs and encodes. The same record and key always give the same bytes. */
export async function signRecord(
  unsigned: Omit<UnsignedRecord, "author">,
  key: PrivateKey,
): Promise<{ record: DataRecord; bytes: Uint8Array }> {
  const author = peerIdFromPrivateKey(key).toString() as PeerId;
  const fields = { ...unsigned, author };
  const record = { ...fields, sig: Uint8Array.from(await key.sign(signingBytes(fields))) };
  return { record, bytes: encode({ ...linked(fields), sig: record.sig }) };
}

/** `DATA_RECORD_MALFORMED`, `DATA_RECORD_SIGNATURE`: whoever put it into a manifest did wrong. */
export async function openRecord(bytes: Uint8Array): Promise<Verdict<DataRecord>> {
  let value: unknown;
  try {
    value = decode(bytes);
  } catch (error) {
    // Not DAG-CBOR.
    return malformed(messageOf(error));
  }
  const parsed = recordSchema.safeParse(value);
  if (!parsed.success) return malformed(z.prettifyError(parsed.error));
  const { data } = parsed;
  if (Buffer.compare(encode(data), bytes) !== 0) return malformed("another encoding of it");
  const record: DataRecord = { ...data, train: named(data.train), heldOut: named(data.heldOut) };
  if (await isSignedBy(record.author, signingBytes(record), record.sig)) return accept(record);
  return reject("DATA_RECORD_SIGNATURE", `expected a signature of ${record.author}`);
}

function malformed(came: string): Verdict<never> {
  return reject("DATA_RECORD_MALFORMED", `expected the canonical record of a run's data, got ${came}`);
}

function signingBytes(record: UnsignedRecord): Uint8Array {
  return Buffer.concat([SIGNING_DOMAIN, encode(linked(record))]);
}

/** The fields that are signed, in the shape of the record on disk. */
function linked(record: UnsignedRecord): Record<string, unknown> {
  const { v, author, source, licence, tokenizer, vocabulary, heldOutShare, bytes, documents } = record;
  const links = (list: readonly ShardName[]): object[] =>
    list.map(({ cid, tokens }) => ({ cid: CID.parse(cid), tokens }));
  const lists = { train: links(record.train), heldOut: links(record.heldOut) };
  return { v, author, source, licence, tokenizer, vocabulary, heldOutShare, bytes, documents, ...lists };
}

function named(list: readonly { cid: CID; tokens: number }[]): ShardName[] {
  return list.map(({ cid, tokens }) => ({ cid: cid.toString() as Cid, tokens }));
}

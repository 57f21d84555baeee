/**
 * A payout record: an author says, with its key, which address its credits of a run are paid to. The signature covers
 * a domain line and the canonical DAG-CBOR of the other fields; how the record travels (today as JSON in a file) is
 * therefore free. Of several records of one author the one with the highest sequence holds.
 */
import { encode } from "@ipld/dag-cbor";
import { base58btc } from "multiformats/bases/base58";
import { z } from "zod";
import { type PeerId, type RunId, type Verdict, accept, assert, parseCid, reject } from "../core/index.ts";
import { type Address, parseAddress } from "./address.ts";
import { authorKey } from "./author-key.ts";

export const PAYOUT_VERSION = 1;
const SIGNING_DOMAIN = new TextEncoder().encode("starling/1/payout\n");

export interface UnsignedPayout {
  readonly v: typeof PAYOUT_VERSION;
  readonly run: RunId;
  readonly author: PeerId;
  readonly address: Address;
  /** Counts up from 1 with every change of the address. */
  readonly sequence: number;
}

export interface Payout extends UnsignedPayout {
  /** Ed25519, 64 bytes in base64. */
  readonly sig: string;
}

const SIG_BYTES = 64;

const payoutSchema = z.strictObject({
  v: z.literal(PAYOUT_VERSION),
  run: z.custom<RunId>(
    (value) => typeof value === "string" && parseCid(value) !== undefined,
    "expected a run's CID",
  ),
  author: z.custom<PeerId>(
    (value) => typeof value === "string" && value.length <= 64 && authorKey(value) !== undefined,
    "expected an Ed25519 peer id",
  ),
  address: z.custom<Address>(
    (value) => typeof value === "string" && parseAddress(value) === value,
    "expected an address with its EIP-55 checksum",
  ),
  sequence: z.int().min(1),
  sig: z.string().refine(isSignature, `expected ${SIG_BYTES} bytes in base64`),
});

/** Checks all but the signature, which is the caller's: libp2p's keys may be asynchronous. `PAYOUT_MALFORMED`. */
export function parsePayout(value: unknown): Verdict<Payout> {
  const result = payoutSchema.safeParse(value);
  if (result.success) return accept(result.data);
  const [issue] = result.error.issues;
  return reject("PAYOUT_MALFORMED", `field ${issue?.path.join(".") || "(all)"}: ${issue?.message ?? ""}`);
}

/** What the author signs: the domain line and the DAG-CBOR of {v, run, author, address, sequence}, links and bytes as in a header. */
export function payoutSigningBytes({ v, run, author, address, sequence }: UnsignedPayout): Uint8Array {
  const link = parseCid(run);
  assert(link !== undefined, "a payout record names a run");
  const body = encode({
    v,
    run: link,
    author: base58btc.baseDecode(author),
    address: addressBytes(address),
    sequence,
  });
  return Buffer.concat([SIGNING_DOMAIN, body]);
}

/**
 * The record that holds for each author: highest sequence; of two with one sequence (its author contradicts itself)
 * the lower address, so that the order of arrival never matters.
 */
export function latestPayouts(records: Iterable<Payout>): ReadonlyMap<PeerId, Payout> {
  const latest = new Map<PeerId, Payout>();
  for (const record of records) {
    const known = latest.get(record.author);
    if (known === undefined || isLater(record, known)) latest.set(record.author, record);
  }
  return latest;
}

function isLater(a: Payout, b: Payout): boolean {
  if (a.sequence !== b.sequence) return a.sequence > b.sequence;
  return a.address.toLowerCase() < b.address.toLowerCase();
}

function isSignature(text: string): boolean {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === SIG_BYTES && bytes.toString("base64") === text;
}

/** (20,) */
function addressBytes(address: Address): Uint8Array {
  return new Uint8Array(Buffer.from(address.slice(2), "hex"));
}

/**
 * A run's address: all that somebody needs to join it, as one string to paste. The run's CID, a settled state of it (the
 * joiner accepts only histories that extend it), and a few peers, any one of which is enough.
 *
 *   "starling1" + base64url( DAG-CBOR {run, settled, peers} + the first 4 bytes of its sha2-256 )
 *
 * The checksum is against lost characters, not against people: whoever hands out an address is trusted with the root.
 */
import { decode, encode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { z } from "zod";
import {
  type Cid,
  type Digest,
  type RunId,
  StarlingError,
  checkCid,
  digestFromBytes,
  digestToBytes,
  messageOf,
  sha256,
} from "../../core/index.ts";

/** A settled state, by name. */
export interface SettledName {
  readonly phase: number;
  readonly round: number;
  readonly root: Digest;
}

export interface RunAddress {
  readonly run: RunId;
  /** Null for a run that is too young to have one: it is joined from its start. */
  readonly settled: SettledName | null;
  /** Multiaddrs with /p2p/. */
  readonly peers: readonly string[];
}

const PREFIX = "starling1";
const CHECKSUM_BYTES = 4;
/** Guess: enough that one of them lives, and the string stays below a kilobyte or so. */
export const HINTS_MAX = 6;
const ADDRESS_CHARS_MAX = 4096;

const schema = z.strictObject({
  run: z.custom<CID>((link) => CID.asCID(link) !== null && checkCid(link as CID) !== undefined),
  settled: z
    .strictObject({
      phase: z.int().min(0).max(63),
      round: z
        .int()
        .min(0)
        .max(2 ** 31 - 1),
      root: z
        .instanceof(Uint8Array)
        .refine((bytes) => bytes.length === 32, "expected 32 bytes")
        .transform(digestFromBytes),
    })
    .nullable(),
  peers: z.array(z.string().max(256)).max(HINTS_MAX),
});

export function encodeRunAddress({ run, settled, peers }: RunAddress): string {
  const bytes = encode({
    run: CID.parse(run),
    settled: settled && { ...settled, root: digestToBytes(settled.root) },
    peers: peers.slice(0, HINTS_MAX),
  });
  return PREFIX + Buffer.concat([bytes, checksum(bytes)]).toString("base64url");
}

/** Throws `ADDRESS_INVALID`. White space, as mail programs put it in, is left out. */
export function decodeRunAddress(text: string): RunAddress {
  const plain = text.replaceAll(/\s/g, "");
  if (!plain.startsWith(PREFIX) || plain.length > ADDRESS_CHARS_MAX)
    throw invalid(`expected it to begin with ${PREFIX}`);
  const all = new Uint8Array(Buffer.from(plain.slice(PREFIX.length), "base64url"));
  const bytes = all.subarray(0, -CHECKSUM_BYTES);
  if (Buffer.compare(checksum(bytes), all.subarray(-CHECKSUM_BYTES)) !== 0)
    throw invalid("its checksum does not fit, so a part is missing or changed");
  const parsed = schema.safeParse(decoded(bytes));
  if (!parsed.success) throw invalid(z.prettifyError(parsed.error));
  const { run, settled, peers } = parsed.data;
  return { run: run.toString() as Cid as RunId, settled, peers };
}

function decoded(bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch (error) {
    // Made by something else, since the checksum fits.
    throw invalid(messageOf(error));
  }
}

function checksum(bytes: Uint8Array): Uint8Array {
  return sha256(bytes).subarray(0, CHECKSUM_BYTES);
}

function invalid(why: string): StarlingError {
  return new StarlingError(
    "ADDRESS_INVALID",
    `expected a run's address as "starling address" prints it: ${why}; copy all of it, in one piece`,
  );
}

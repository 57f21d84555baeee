/**
 * What a node of an open run says of it to strangers (docs/protocol.md, section 12): where the run is and how many work on
 * it, signed together with the asker's bytes. Claims of one peer, for people to look at: nothing is decided by them. Name,
 * size and costs are in the manifest, which the run's CID is the hash of.
 */
import { decode, encode } from "@ipld/dag-cbor";
import type { PrivateKey } from "@libp2p/interface";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { CID } from "multiformats/cid";
import { z } from "zod";
import {
  type PeerId,
  type RunId,
  type Verdict,
  accept,
  checkCid,
  messageOf,
  reject,
} from "../../core/index.ts";
import { isSignedBy } from "../keys/identity.ts";
import { isEd25519PeerId } from "../keys/peer-ids.ts";
import { PHASES_MAX } from "../run/ladder.ts";

export const PRESENCE_VERSION = 1;
const NONCE_BYTES = 32;
const SIGNING_DOMAIN = new TextEncoder().encode("starling/1/presence\n");

export interface Presence {
  readonly run: RunId;
  readonly peer: PeerId;
  readonly phase: number;
  readonly round: number;
  /** Authors with a delta among those whom the node goes on from. */
  readonly contributors: number;
}

const recordSchema = z.strictObject({
  v: z.literal(PRESENCE_VERSION),
  run: z.custom<CID>((link) => CID.asCID(link) !== null && checkCid(link as CID) !== undefined),
  peer: z.custom<PeerId>(isEd25519PeerId, "expected the peer id of an Ed25519 key, in base58"),
  phase: z
    .int()
    .min(0)
    .max(PHASES_MAX - 1),
  round: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
  contributors: z.int().min(0).max(1024),
  nonce: z.instanceof(Uint8Array).refine((nonce) => nonce.length === NONCE_BYTES, "expected 32 bytes"),
  sig: z.instanceof(Uint8Array).refine((sig) => sig.length === 64, "expected 64 bytes"),
});
type PresenceRecord = z.infer<typeof recordSchema>;

/** Signs and encodes; `nonce`: the asker's bytes. */
export async function signPresence(
  { run, phase, round, contributors }: Omit<Presence, "peer">,
  { key, nonce }: { key: PrivateKey; nonce: Uint8Array },
): Promise<Uint8Array> {
  const peer = peerIdFromPrivateKey(key).toString() as PeerId;
  const fields = {
    v: PRESENCE_VERSION,
    run: CID.parse(run),
    peer,
    phase,
    round,
    contributors,
    nonce: Uint8Array.from(nonce),
  } as const;
  const sig = Uint8Array.from(await key.sign(signingBytes(fields)));
  return encode({ ...fields, sig });
}

/** The answer of a peer that was asked with `nonce`: `PRESENCE_MALFORMED`, `PRESENCE_SIGNATURE`. */
export async function openPresence(
  bytes: Uint8Array,
  { from, nonce }: { from: PeerId; nonce: Uint8Array },
): Promise<Verdict<Presence>> {
  const parsed = parse(bytes);
  if (parsed.kind !== "accept") return parsed;
  const { sig, ...fields } = parsed.value;
  const { run, peer, phase, round, contributors } = fields;
  if (peer !== from) return reject("PRESENCE_MALFORMED", `expected a record of ${from}, got one of ${peer}`);
  if (Buffer.compare(fields.nonce, nonce) !== 0)
    return reject("PRESENCE_MALFORMED", "expected the bytes that were sent with the question");
  if (!(await isSignedBy(peer, signingBytes(fields), sig)))
    return reject("PRESENCE_SIGNATURE", `expected a signature of ${peer}`);
  return accept({ run: run.toString() as RunId, peer, phase, round, contributors });
}

function parse(bytes: Uint8Array): Verdict<PresenceRecord> {
  try {
    const parsed = recordSchema.safeParse(decode(bytes));
    if (!parsed.success) return reject("PRESENCE_MALFORMED", z.prettifyError(parsed.error));
    if (Buffer.compare(encode(parsed.data), bytes) === 0) return accept(parsed.data);
    return reject("PRESENCE_MALFORMED", "expected the canonical encoding");
  } catch (error) {
    // Not DAG-CBOR.
    return reject("PRESENCE_MALFORMED", messageOf(error));
  }
}

function signingBytes(fields: Omit<PresenceRecord, "sig">): Uint8Array {
  return Buffer.concat([SIGNING_DOMAIN, encode(fields)]);
}

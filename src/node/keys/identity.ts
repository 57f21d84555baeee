/** What only the key's owner can do (sign, draw lots) and how others check it. */
import { peerIdFromString } from "@libp2p/peer-id";
import type { PrivateKey } from "@libp2p/interface";
import {
  type Draft,
  type Header,
  type ParsedHeader,
  encodeHeader,
  parseHeader,
  signingBytes,
} from "../../consensus/index.ts";
import {
  type ContributionId,
  type Digest,
  type PeerId,
  type Verdict,
  accept,
  digestOf,
  digestToBytes,
  reject,
} from "../../core/index.ts";
import { hasSmallOrder } from "./small-order.ts";

export interface SignedContribution {
  readonly id: ContributionId;
  readonly header: Header;
  readonly bytes: Uint8Array;
}

/** Completes a draft with the lot and the signature. The same draft always gives the same bytes (Ed25519, RFC 8032). */
export async function signContribution(draft: Draft, key: PrivateKey): Promise<SignedContribution> {
  const { previous, ...rest } = draft;
  const reveal = previous ? await preimage(key, previous.header) : null;
  const next = digestOf(digestToBytes(await preimage(key, rest)));
  const header = { ...rest, lot: { reveal, next } };
  const sig = await key.sign(signingBytes(header));
  return { ...encodeHeader(header, sig), header: { ...header, sig } };
}

/**
 * A secret that only the key's owner can compute, and always the same: so no lot needs to be stored. The settled root is
 * in it because the same round may be lived again in another history.
 */
async function preimage(
  key: PrivateKey,
  { run, phase, round, settled }: Omit<Draft, "previous">,
): Promise<Digest> {
  const name = `starling/1/lot\n${run}/${phase}/${round}/${settled.root}`;
  return digestOf(await key.sign(new TextEncoder().encode(name)));
}

/** Parses a header and checks its signature: `HEADER_SIGNATURE`, or one of parseHeader's codes. */
export async function verifyHeader(bytes: Uint8Array): Promise<Verdict<ParsedHeader>> {
  const parsed = parseHeader(bytes);
  if (parsed.kind !== "accept") return parsed;
  const { header, signedBytes } = parsed.value;
  if (await isSignedBy(header.author, signedBytes, header.sig)) return accept(parsed.value);
  return reject(
    "HEADER_SIGNATURE",
    `expected a signature of ${header.author}, key and signature not of small order`,
  );
}

/** `author`: an Ed25519 peer id, which holds the public key. Small orders are refused: libraries differ on them. */
export async function isSignedBy(author: PeerId, data: Uint8Array, sig: Uint8Array): Promise<boolean> {
  const key = peerIdFromString(author).publicKey;
  if (key === undefined || hasSmallOrder(key.raw) || hasSmallOrder(sig.subarray(0, 32))) return false;
  try {
    return await key.verify(data, sig);
  } catch {
    // A key that is no point of the curve throws; for us that is a signature that does not hold.
    return false;
  }
}

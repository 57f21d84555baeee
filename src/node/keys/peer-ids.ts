/** Only Ed25519 keys take part: their peer ids hold the whole public key. */
import { peerIdFromString } from "@libp2p/peer-id";

/** Whether it is the peer id of an Ed25519 key, in base58. */
export function isEd25519PeerId(value: unknown): boolean {
  try {
    return typeof value === "string" && peerIdFromString(value).type === "Ed25519";
  } catch {
    // Not a peer id at all.
    return false;
  }
}

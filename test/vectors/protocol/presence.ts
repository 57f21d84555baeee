/** presence.json: what a node says of its run to whoever asks, and where it is looked for. */
import { type RunId, RAW, cidOf } from "../../../src/core/index.ts";
import { RENDEZVOUS_NAME } from "../../../src/gossip/names.ts";
import { signPresence } from "../../../src/node/runs/presence.ts";
import { hex, keyOf } from "./support.ts";

export interface PresenceVector {
  run: RunId;
  peer: string;
  /** The 32 bytes of the node's private key, hex. */
  secret: string;
  phase: number;
  round: number;
  contributors: number;
  /** The asker's 32 bytes, hex. */
  nonce: string;
  /** Of the record, hex. */
  bytes: string;
  /** The key that nodes of open runs provide. */
  key: string;
}

export async function presenceVectors(): Promise<PresenceVector[]> {
  const { key, peer, secret } = await keyOf("ada");
  const run = cidOf(new TextEncoder().encode("run"), RAW) as RunId;
  const nonce = Uint8Array.from({ length: 32 }, (_, i) => i);
  const said = { run, phase: 3, round: 1234, contributors: 17 };
  const bytes = await signPresence(said, { key, nonce });
  const rendezvous = cidOf(new TextEncoder().encode(RENDEZVOUS_NAME), RAW);
  return [{ ...said, peer, secret, nonce: hex(nonce), bytes: hex(bytes), key: rendezvous }];
}

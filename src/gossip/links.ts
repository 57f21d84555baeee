/** The connections to peers of the run, as people want to see them. */
import type { Libp2p } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import type { PeerId } from "../core/index.ts";
import type { Members } from "./members.ts";
import type { Pings } from "./pings.ts";

export interface PeerLink {
  readonly peer: PeerId;
  /** The peer's end of the connection. */
  readonly address: string;
  /** The peer dialled us. */
  readonly inbound: boolean;
  /** Of the last ping; null before the first. */
  readonly pingMs: number | null;
}

/** One per connected peer of the run; of several connections, the oldest. */
export function linksOf(libp2p: Libp2p, members: Members, pings: Pings): PeerLink[] {
  return members.list().flatMap((peer) => {
    const [connection] = libp2p.getConnections(peerIdFromString(peer));
    if (connection === undefined) return [];
    const inbound = connection.direction === "inbound";
    return [{ peer, address: connection.remoteAddr.toString(), inbound, pingMs: pings.lastMs(peer) }];
  });
}

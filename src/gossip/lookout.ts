/** Runs as they are seen from outside: by a node of another one, or by somebody who has none yet (scout.ts). */
import type { Libp2p } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import type { KadDHT } from "@libp2p/kad-dht";
import { multiaddr } from "@multiformats/multiaddr";
import type { Cid, Logger, PeerId, Verdict } from "../core/index.ts";
import type { BlocksProtocol } from "./blocks-protocol.ts";
import type { PresenceProtocol } from "./presence-protocol.ts";
import { heraldsIn } from "./rendezvous.ts";

/** A node that may tell of a run. */
export interface Herald {
  readonly peer: PeerId;
  /** Where it says that it can be dialled, with /p2p/. */
  readonly addresses: readonly string[];
}

export interface Lookout {
  /** Each once, those first whom the user named; ends with the search or the signal. */
  heralds(signal: AbortSignal): AsyncGenerator<Herald>;
  /** What it says of its run, as `check` judges it; undefined: nothing. What is rejected costs the peer. */
  presence<T>(
    peer: PeerId,
    check: (record: Uint8Array, nonce: Uint8Array) => Promise<Verdict<T>>,
    o: { signal: AbortSignal },
  ): Promise<Verdict<T | undefined>>;
  /** Where we reached it, or it us, not where it says that it is; undefined: it is not connected. */
  reachedAt(peer: PeerId): string | undefined;
  /** A block that matches its CID, from one of these or who else provides it. Throws `BLOCK_NOT_FOUND`. */
  fetchBlock(cid: Cid, holders: readonly PeerId[], o: { signal: AbortSignal }): Promise<Uint8Array>;
}

export interface LookoutDeps {
  readonly libp2p: Libp2p;
  readonly dht: KadDHT;
  readonly presence: Pick<PresenceProtocol, "ask">;
  readonly blocks: Pick<BlocksProtocol, "fetch">;
  /** Multiaddrs with /p2p/ that need no search. */
  readonly named: readonly string[];
  readonly log: Logger;
}

export function createLookout({ libp2p, dht, presence, blocks, named, log }: LookoutDeps): Lookout {
  return {
    heralds: async function* (signal) {
      const seen = new Set<string>([libp2p.peerId.toString()]);
      for (const herald of heraldsOf(named)) {
        if (seen.has(herald.peer)) continue;
        seen.add(herald.peer);
        yield herald;
      }
      for await (const { id, multiaddrs } of heraldsIn(dht, { signal, log })) {
        const peer = id.toString() as PeerId;
        if (seen.has(peer)) continue;
        seen.add(peer);
        await libp2p.peerStore.merge(id, { multiaddrs });
        yield { peer, addresses: multiaddrs.map((address) => withPeer(address.toString(), peer)) };
      }
    },
    presence: (peer, check, o) => presence.ask(peer, check, o),
    reachedAt: (peer) => {
      const [connection] = libp2p.getConnections(peerIdFromString(peer));
      return connection && withPeer(connection.remoteAddr.toString(), peer);
    },
    fetchBlock: (cid, holders, o) => blocks.fetch(cid, holders, o),
  };
}

function heraldsOf(addresses: readonly string[]): Herald[] {
  return addresses.flatMap((address) => {
    const peer = multiaddr(address)
      .getComponents()
      .findLast(({ name }) => name === "p2p")?.value;
    return peer === undefined
      ? []
      : [{ peer: peerIdFromString(peer).toString() as PeerId, addresses: [address] }];
  });
}

function withPeer(address: string, peer: PeerId): string {
  return address.includes(`/p2p/${peer}`) ? address : `${address}/p2p/${peer}`;
}

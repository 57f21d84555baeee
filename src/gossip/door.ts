/**
 * Who may connect, as libp2p's connection gater: everybody but the banned, and in a closed run only the peers that it
 * lists. It is also where every raw connection is seen, and so counted.
 */
import type { ConnectionGater, PeerId as LibPeerId } from "@libp2p/interface";
import type { PeerId } from "../core/index.ts";
import type { Standing } from "./standing.ts";
import type { Traffic } from "./traffic.ts";

export class Door {
  readonly #standing: Standing;
  readonly #traffic: Traffic;
  #admitted: ReadonlySet<PeerId> | undefined;

  constructor(o: { standing: Standing; traffic: Traffic }) {
    this.#standing = o.standing;
    this.#traffic = o.traffic;
  }

  /** From now on nobody else is let in. Who is already connected is not sent away here. */
  admitOnly(peers: readonly PeerId[]): void {
    this.#admitted = new Set(peers);
  }

  admits(peer: PeerId): boolean {
    return !this.#standing.banned(peer) && (this.#admitted?.has(peer) ?? true);
  }

  gater(): ConnectionGater {
    const denies = (peer: LibPeerId): boolean => !this.admits(peer.toString() as PeerId);
    return {
      // The library's own rule refuses private addresses, which a LAN has.
      denyDialMultiaddr: () => false,
      denyDialPeer: denies,
      denyInboundConnection: (connection) => {
        this.#traffic.track(connection);
        return false;
      },
      denyInboundEncryptedConnection: (peer, connection) => {
        this.#traffic.track(connection, peer.toString() as PeerId);
        return denies(peer);
      },
      denyOutboundEncryptedConnection: (peer, connection) => {
        this.#traffic.track(connection, peer.toString() as PeerId);
        return denies(peer);
      },
      denyInboundRelayReservation: denies,
      denyOutboundRelayedConnection: (source, destination) => denies(source) || denies(destination),
    };
  }
}

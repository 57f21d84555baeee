/**
 * Which connected peers are of our run: those that say, when identified, that they speak a protocol under the run's own
 * prefix. A peer with two connections is one peer.
 */
import type { Libp2p, PeerId as LibPeerId } from "@libp2p/interface";
import type { PeerId, RunId } from "../core/index.ts";
import { runPrefix } from "./names.ts";

export class Members {
  readonly #prefix: string;
  readonly #here = new Set<PeerId>();
  readonly #listeners = new Set<(peer: PeerId) => void>();

  constructor(libp2p: Libp2p, run: RunId) {
    this.#prefix = runPrefix(run);
    libp2p.addEventListener("peer:identify", ({ detail }) => this.#note(detail.peerId, detail.protocols));
    // A peer that learns a protocol later, such as one that turns into a DHT server.
    libp2p.addEventListener("peer:update", ({ detail }) => {
      const { id, protocols } = detail.peer;
      if (libp2p.getConnections(id).length > 0) this.#note(id, protocols);
    });
    libp2p.addEventListener("peer:disconnect", ({ detail }) => {
      this.#here.delete(detail.toString() as PeerId);
    });
  }

  list(): PeerId[] {
    return [...this.#here];
  }

  has(peer: PeerId): boolean {
    return this.#here.has(peer);
  }

  /** Called for each peer that arrives, again when it comes back, until what is returned is called. */
  onPeer(listener: (peer: PeerId) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #note(id: LibPeerId, protocols: readonly string[]): void {
    const peer = id.toString() as PeerId;
    if (this.#here.has(peer) || !protocols.some((protocol) => protocol.startsWith(this.#prefix))) return;
    this.#here.add(peer);
    for (const listener of this.#listeners) listener(peer);
  }
}

/**
 * Which connected peers are of our run: those that say, when identified, that they speak a protocol under the run's own
 * prefix. A peer with two connections is one peer.
 */
import type { Libp2p, PeerId as LibPeerId } from "@libp2p/interface";
import type { Logger, PeerId, RunId } from "../core/index.ts";
import { PROTOCOL_VERSION, versionIn } from "./names.ts";

/** Told of in all: whoever makes up versions must not fill the log. */
const VERSIONS_MAX = 4;

export class Members {
  readonly #run: RunId;
  readonly #log: Logger;
  /** Other versions that somebody was met with: each is told of once. */
  readonly #versions = new Set<number>();
  readonly #here = new Set<PeerId>();
  readonly #listeners = new Set<(peer: PeerId) => void>();

  constructor(libp2p: Libp2p, { run, log }: { run: RunId; log: Logger }) {
    this.#run = run;
    this.#log = log;
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
    if (this.#here.has(peer)) return;
    const versions = protocols.map((protocol) => versionIn(protocol, this.#run));
    if (!versions.includes(PROTOCOL_VERSION)) return this.#noteVersions(versions);
    this.#here.add(peer);
    for (const listener of this.#listeners) listener(peer);
  }

  /** Without a word, nodes of another version would look for peers for ever. */
  #noteVersions(versions: readonly (number | undefined)[]): void {
    for (const theirs of versions) {
      if (theirs === undefined || this.#versions.has(theirs) || this.#versions.size >= VERSIONS_MAX) continue;
      this.#versions.add(theirs);
      const advice =
        theirs > PROTOCOL_VERSION
          ? `this run needs a release of Starling that speaks version ${theirs}: install that`
          : "its owner must install a newer release";
      this.#log.warn(`a peer of this run speaks another version of the protocol: ${advice}`, {
        expected: PROTOCOL_VERSION,
        theirs,
      });
    }
  }
}

/**
 * Goes after peers that have fallen silent. TCP waits twice as long after each packet that nobody answered, so a line that
 * was cut for two minutes stays dead for up to two more after it has healed, and libp2p never dials a peer that it believes
 * to be connected. A new connection shows at once that somebody is there again: then the old ones end and all begins anew
 * (on a connection that merely comes on top, GossipSub would not open its streams again).
 */
import { setMaxListeners } from "node:events";
import type { Libp2p } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import { type Clock, type Logger, type PeerId, messageOf } from "../core/index.ts";

/** Between two attempts: doubling. Guesses. */
const PAUSE_MS_FIRST = 1_000;
const PAUSE_MS_MAX = 5_000;
const DIAL_MS_MAX = 5_000;
/** Of two that miss each other only one shall begin anew; the other takes over when it can't, behind a router say. */
const OTHERS_TURN_MS = 20_000;
/** From then on it is an ordinary absent peer, which discovery may find again. Guess. */
const SEEK_MS_MAX = 10 * 60_000;

export interface ReunionDeps {
  libp2p: Libp2p;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}

export class Reunion {
  readonly #deps: ReunionDeps;
  readonly #seeking = new Map<PeerId, Promise<void>>();

  constructor(deps: ReunionDeps) {
    this.#deps = deps;
  }

  /** Starts unless it is under way. `isWell`: the peer has been heard on a connection that we have. */
  seek(peer: PeerId, isWell: () => boolean): void {
    if (this.#seeking.has(peer)) return;
    const seeking = this.#seek(peer, isWell)
      // Stopped while it waited.
      .catch((error: unknown) => this.#deps.log.debug("seeking ended", { peer, error: messageOf(error) }))
      .finally(() => this.#seeking.delete(peer));
    this.#seeking.set(peer, seeking);
  }

  /** Resolves when nobody is sought any more; after the signal was aborted, soon. */
  async idle(): Promise<void> {
    await Promise.all(this.#seeking.values());
  }

  async #seek(peer: PeerId, isWell: () => boolean): Promise<void> {
    const { libp2p, clock, log, signal } = this.#deps;
    const untilMs = clock.nowMs() + SEEK_MS_MAX;
    if (libp2p.peerId.toString() > peer) await clock.sleep(OTHERS_TURN_MS, signal);
    let pauseMs = PAUSE_MS_FIRST;
    while (!isWell() && clock.nowMs() < untilMs) {
      if (await this.#answers(peer)) {
        if (isWell()) return;
        log.info("a silent peer answers again: connecting anew", { peer });
        const id = peerIdFromString(peer);
        for (const connection of libp2p.getConnections(id))
          connection.abort(new Error("the peer answers on a new connection only"));
        await this.#dial(peer, {});
        return;
      }
      await clock.sleep(pauseMs, signal);
      pauseMs = Math.min(PAUSE_MS_MAX, 2 * pauseMs);
    }
  }

  /** Whether it takes a connection beside those that are silent. */
  #answers(peer: PeerId): Promise<boolean> {
    return this.#dial(peer, { force: true });
  }

  async #dial(peer: PeerId, o: { force?: true }): Promise<boolean> {
    const { libp2p, log, signal } = this.#deps;
    const limited = AbortSignal.any([signal, AbortSignal.timeout(DIAL_MS_MAX)]);
    setMaxListeners(0, limited);
    try {
      await libp2p.dial(peerIdFromString(peer), { ...o, signal: limited });
      return true;
    } catch (error) {
      // Still silent, gone, or nowhere to be dialled: it is tried again, and it may dial us.
      log.debug("still silent", { peer, error: messageOf(error) });
      return false;
    }
  }
}

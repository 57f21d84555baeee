/**
 * js-libp2p asks a relay for a place once for each connection, with a time limit. Where that one request failed (a relay that was
 * busy starting, a lost moment), the node stayed unreachable for as long as the connection held (docs/log.md). So
 * while there is no place, the library is told of its relays again: a repeated identify does that, through its public interface,
 * once the filter that keeps it from looking twice is gone.
 */
import { setMaxListeners } from "node:events";
import type { Connection, Libp2p } from "@libp2p/interface";
import type { Identify } from "@libp2p/identify";
import { type Clock, type Logger, type Service, messageOf, pause } from "../core/index.ts";
import { isRelayed } from "./reach.ts";

/** Longer than a request for a place takes. Guess. */
const INTERVAL_MS = 10_000;
const IDENTIFY_MS_MAX = 5_000;

export interface RelaySearchDeps {
  libp2p: Libp2p;
  identify: Identify;
  clock: Clock;
  log: Logger;
}

export class RelaySearch implements Service {
  readonly name = "relay search";
  readonly #deps: RelaySearchDeps;
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(deps: RelaySearchDeps) {
    this.#deps = deps;
    setMaxListeners(0, this.#stopped.signal);
  }

  async start(): Promise<void> {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error("the swarm is stopping"));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { libp2p, clock, log } = this.#deps;
    while (await pause(clock, INTERVAL_MS, this.#stopped.signal)) {
      if (libp2p.getMultiaddrs().some(isRelayed)) continue;
      const direct = libp2p.getConnections().filter(({ remoteAddr }) => !isRelayed(remoteAddr));
      log.debug("no relay carries us yet", { connections: direct.length });
      await Promise.all(direct.map((connection) => this.#remind(connection)));
    }
  }

  async #remind(connection: Connection): Promise<void> {
    const { identify, log } = this.#deps;
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(IDENTIFY_MS_MAX)]);
    setMaxListeners(0, signal);
    try {
      await identify.identify(connection, { signal });
    } catch (error) {
      // It is asked again as long as there is no place.
      log.debug("identify failed", { peer: connection.remotePeer.toString(), error: messageOf(error) });
    }
  }
}

/**
 * A full disk is waited out: what must be written is tried again until there is room, and nothing that builds on it
 * happens before; a node publishes only what is on its disk, so it falls silent and loses nothing.
 */
import { type Clock, type Logger, StarlingError } from "../../core/index.ts";
import type { Store } from "../../storage/index.ts";

/** Guess: somebody who frees space wants to see the node go on. */
const RETRY_MS = 5_000;

export interface DiskPatienceDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Told what is lacking, and null when it is not any more. */
  readonly changed: (lack: string | null) => void;
}

export class DiskPatience {
  readonly #deps: DiskPatienceDeps;
  readonly #waiting = new Set<symbol>();

  constructor(deps: DiskPatienceDeps) {
    this.#deps = deps;
  }

  /** What `write` resolves with, once there was room for it. Rejects with its other errors, and when it is stopped. */
  async write<T>(write: () => Promise<T>): Promise<T> {
    const self = Symbol("write");
    try {
      for (;;) {
        try {
          return await write();
        } catch (error) {
          // Room can be made; anything else is no matter of patience.
          if (!(error instanceof StarlingError) || error.code !== "DISK_FULL") throw error;
          await this.#wait(self, error);
        }
      }
    } finally {
      if (this.#waiting.delete(self) && this.#waiting.size === 0) {
        this.#deps.changed(null);
        this.#deps.log.info("there is room on the disk again: going on");
      }
    }
  }

  async #wait(self: symbol, { message }: StarlingError): Promise<void> {
    const { clock, log, signal, changed } = this.#deps;
    if (this.#waiting.size === 0) {
      log.warn("the disk is full: nothing is published until there is room", { error: message });
      changed(message);
    }
    this.#waiting.add(self);
    await clock.sleep(RETRY_MS, signal);
  }
}

/** The same store, whose writes wait for room. */
export function patientStore(store: Store, disk: DiskPatience): Store {
  const { blocks, contributions } = store;
  return {
    ...store,
    blocks: { ...blocks, put: (cid, bytes, o) => disk.write(() => blocks.put(cid, bytes, o)) },
    contributions: { ...contributions, put: (header) => disk.write(() => contributions.put(header)) },
  };
}

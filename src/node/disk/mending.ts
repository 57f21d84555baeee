/** Blocks of our checkpoints that the disk has damaged come anew from peers who hold the same state. */
import { type Cid, type Logger, StarlingError, messageOf } from "../../core/index.ts";
import type { Swarm } from "../../gossip/index.ts";

/** More damage at once is a failing disk, and the next checkpoint takes the place of this one. Guess. */
const BLOCKS_MAX = 16;
const FETCH_MS_MAX = 30_000;

export interface MendingDeps {
  swarm(): Swarm | undefined;
  /** Writes it where it was damaged. */
  write(cid: Cid, block: Uint8Array): Promise<void>;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Called when the disk does not work. */
  fail(error: unknown): void;
}

export class Mending {
  readonly #deps: MendingDeps;
  readonly #blocks = new Map<Cid, Promise<void>>();

  constructor(deps: MendingDeps) {
    this.#deps = deps;
  }

  note(cid: Cid): void {
    if (this.#blocks.has(cid) || this.#blocks.size >= BLOCKS_MAX || this.#deps.signal.aborted) return;
    const mended = this.#mend(cid)
      .catch((error: unknown) => this.#deps.fail(error))
      .finally(() => this.#blocks.delete(cid));
    this.#blocks.set(cid, mended);
  }

  /** Resolves when nothing is being mended; soon, once the signal was aborted. */
  async idle(): Promise<void> {
    await Promise.all(this.#blocks.values());
  }

  async #mend(cid: Cid): Promise<void> {
    const { log, signal } = this.#deps;
    const swarm = this.#deps.swarm();
    if (swarm === undefined) return;
    const timed = AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS_MAX)]);
    try {
      await this.#deps.write(cid, await swarm.fetchBlock(cid, swarm.peers(), { signal: timed }));
    } catch (error) {
      // Nobody has it: whoever asks us for it next brings us here again.
      if (!(error instanceof StarlingError) || error.code !== "BLOCK_NOT_FOUND") throw error;
      log.debug("damaged block not found at peers", { cid, error: messageOf(error) });
    }
  }
}

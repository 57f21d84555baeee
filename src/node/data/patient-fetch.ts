/** Blocks from whoever has them, for as long as it takes: a node may be the first to come, and holders come and go. */
import {
  type Cid,
  type Clock,
  type Logger,
  type PeerId,
  StarlingError,
  messageOf,
} from "../../core/index.ts";
import type { PullOptions, Swarm } from "../../gossip/index.ts";
import { saidProgress } from "./said-progress.ts";

const RETRY_MS = 500;
const FETCH_MS_MAX = 30_000;

export interface PatientFetchDeps {
  readonly swarm: Swarm;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export class PatientFetch {
  readonly #deps: PatientFetchDeps;

  constructor(deps: PatientFetchDeps) {
    this.#deps = deps;
  }

  /** `what`: for the log. */
  one(what: string, cid: Cid): Promise<Uint8Array> {
    const { swarm } = this.#deps;
    return this.#persist(what, () => {
      const signal = AbortSignal.any([this.#deps.signal, AbortSignal.timeout(FETCH_MS_MAX)]);
      return swarm.fetchBlock(cid, swarm.peers(), { signal });
    });
  }

  /** From all who announce `root`, together. */
  async all(root: Cid, cids: readonly Cid[], take: PullOptions["take"]): Promise<void> {
    const { swarm, clock, log, signal } = this.#deps;
    const left = new Set(cids);
    const holders = (): PeerId[] => swarm.peers();
    const takeOne = saidProgress(
      async (cid, block) => {
        await take(cid, block);
        left.delete(cid);
      },
      { what: "data", blocksCount: cids.length, clock, log },
    );
    await this.#persist("data", () =>
      swarm.fetchBlocks({ cids: [...left], root, holders, take: takeOne, signal }),
    );
  }

  /** Again and again until somebody has it. */
  async #persist<T>(what: string, fetch: () => Promise<T>): Promise<T> {
    const { clock, log, signal } = this.#deps;
    for (;;) {
      try {
        return await fetch();
      } catch (error) {
        // Holders come and go, so the same request may succeed later; anything else is no matter of patience.
        signal.throwIfAborted();
        if (!(error instanceof StarlingError) || error.code !== "BLOCK_NOT_FOUND") throw error;
        log.debug("not found yet", { what, error: messageOf(error) });
        await clock.sleep(RETRY_MS, signal);
      }
    }
  }
}

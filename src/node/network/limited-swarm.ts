/**
 * The bounds that a person sets on the line: blocks are what moves bytes, so they wait for their turn; headers and
 * gossip are small and do not.
 */
import type { Cid, Clock } from "../../core/index.ts";
import type { BlockSource, Swarm } from "../../gossip/index.ts";
import { Throttle } from "./throttle.ts";

/** Longer than this nobody waits for an answer: better none, so that the asker turns to somebody else. Guess. */
const SERVE_WAIT_MS_MAX = 8_000;

export interface LineOptions {
  /** Bytes per second; null: as fast as it goes. */
  readonly uploadMax: number | null;
  readonly downloadMax: number | null;
}

export class Line {
  readonly #upload: Throttle | undefined;
  readonly #download: Throttle | undefined;
  readonly #clock: Clock;
  #isCut = false;

  constructor({ uploadMax, downloadMax }: LineOptions, clock: Clock) {
    this.#clock = clock;
    if (uploadMax !== null) this.#upload = new Throttle({ bytesPerSecond: uploadMax, clock });
    if (downloadMax !== null) this.#download = new Throttle({ bytesPerSecond: downloadMax, clock });
  }

  /** While it is cut no block is served or asked for. */
  cut(isCut: boolean): void {
    this.#isCut = isCut;
  }

  /** The same blocks, no faster than they may leave. */
  serving(source: BlockSource): BlockSource {
    return {
      get: async (cid) => {
        if (this.#isCut || (this.#upload?.owedMs ?? 0) > SERVE_WAIT_MS_MAX) return undefined;
        await this.#upload?.paid();
        const block = await source.get(cid);
        if (block !== undefined) this.#upload?.charge(block.length);
        return block;
      },
      has: async (cid) => !this.#isCut && (await source.has(cid)),
    };
  }

  /** The same swarm, whose blocks come no faster than they may. */
  fetching(swarm: Swarm): Swarm {
    return {
      ...swarm,
      fetchBlock: async (cid: Cid, holders, o) => {
        while (this.#isCut) await this.#clock.sleep(1_000, o.signal);
        await this.#download?.paid(o.signal);
        const block = await swarm.fetchBlock(cid, holders, o);
        this.#download?.charge(block.length);
        return block;
      },
      fetchBlocks: async (o) => {
        while (this.#isCut) await this.#clock.sleep(1_000, o.signal);
        await swarm.fetchBlocks({
          ...o,
          // What waits here counts as under way, so no more is asked for meanwhile.
          take: async (cid, block) => {
            this.#download?.charge(block.length);
            await this.#download?.paid(o.signal);
            await o.take(cid, block);
          },
        });
      },
    };
  }
}

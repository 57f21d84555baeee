/** A run's data as it comes from peers: what training asks for at once, everything else from all holders together. */
import {
  BLOCK_BYTES,
  type Cid,
  type PeerId,
  SeededRandom,
  StarlingError,
  type Verdict,
} from "../../core/index.ts";
import { type BlockStore, type PullOptions, pullBody } from "../../storage/index.ts";
import type { RunData } from "./run-data.ts";

/** Up to so many shards (64 MiB) all are here before the first round; of larger data only what is asked for. Guess. */
const SHARDS_FIRST_MAX = 64;

export interface DataPullDeps {
  readonly blocks: BlockStore;
  /** Blocks from any peers; rejects when the node stops, and with what `take` rejects with. */
  readonly fetch: PullOptions["fetch"];
  readonly self: PeerId;
  readonly signal: AbortSignal;
}

export class DataPull {
  readonly #deps: DataPullDeps;

  constructor(deps: DataPullDeps) {
    this.#deps = deps;
  }

  /** From the disk or from peers, and on the disk then. */
  async body(cid: Cid, bytesMax: number): Promise<Verdict<Uint8Array>> {
    const { blocks, fetch } = this.#deps;
    return pullBody(blocks, cid, { bytesMax, fetch });
  }

  /** @throws StarlingError `DATA_INVALID` when the run names what is no block */
  async block(cid: Cid): Promise<Uint8Array> {
    const pulled = await this.body(cid, BLOCK_BYTES);
    if (pulled.kind === "accept") return pulled.value;
    throw new StarlingError("DATA_INVALID", `expected a shard under ${cid}, got ${pulled.detail}`);
  }

  /**
   * All shards, in an order of one's own, so that a flock soon has every one of them more than once. Resolves when what
   * must be here before the first round is; `rest` when all is, or the node stops. `shardsMax`: how many there is room for;
   * others come when training asks for them.
   */
  async all(
    { train, heldOut }: Pick<RunData, "train" | "heldOut">,
    shardsMax: number,
  ): Promise<{ rest: Promise<void> }> {
    const all = shuffled(
      [...heldOut, ...train].map(({ cid }) => cid),
      this.#deps.self,
    );
    const cids = await this.#missing(all, shardsMax);
    const rest = this.#each(cids);
    if (cids.length <= SHARDS_FIRST_MAX) await rest;
    return { rest };
  }

  async #missing(cids: readonly Cid[], atMost: number): Promise<Cid[]> {
    const missing: Cid[] = [];
    for (const cid of cids) if (!(await this.#deps.blocks.has(cid))) missing.push(cid);
    return missing.slice(0, Math.min(missing.length, atMost));
  }

  async #each(missing: readonly Cid[]): Promise<void> {
    const { blocks, fetch, signal } = this.#deps;
    if (missing.length === 0 || signal.aborted) return;
    await fetch(missing, (cid, block) => blocks.put(cid, block, { durable: false }));
  }
}

/** Fisher and Yates. */
function shuffled(cids: readonly Cid[], seed: string): Cid[] {
  const random = new SeededRandom(seed);
  const order = [...cids];
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j] as Cid, order[i] as Cid];
  }
  return order;
}

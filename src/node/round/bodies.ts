/** Pulls the deltas that history needs: the author first, then whoever cites it, then anybody; until they are here. */
import PQueue from "p-queue";
import type { Contribution, ContributionGraph } from "../../consensus/index.ts";
import {
  BLOCK_BYTES,
  type Clock,
  type ContributionId,
  type Logger,
  type PeerId,
  type Verdict,
  accept,
  messageOf,
  pause,
  reject,
} from "../../core/index.ts";
import type { Swarm } from "../../gossip/index.ts";
import { type BlockStore, pullBody } from "../../storage/index.ts";

/**
 * Bodies pulled at the same time. One block waits for round trips more than for the line, so of those there are many: what a
 * flock of seventeen sends at once. Larger ones would all be read from the disk at once, if they all came at once. Guess.
 */
const ONE_BLOCK_PULLS_MAX = 16;
const PULLS_MAX = 4;
/** Of authors who weigh nothing: free keys must not keep the line from the others, nor the memory. Guess. */
const STRANGERS_ONE_BLOCK_PULLS_MAX = 8;
const STRANGERS_PULLS_MAX = 4;
const RETRY_MS_FIRST = 200;
const RETRY_MS_MAX = 5_000;
/** After such a pause it is called lacking: the third one. Guess: holders answer by then, or are gone. */
const LACKING_MS = 800;

export interface BodiesDeps {
  readonly swarm: Pick<Swarm, "peerId" | "peers" | "isRelayed" | "fetchBlocks">;
  readonly blocks: BlockStore;
  readonly graph: Pick<ContributionGraph, "round">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** The most bytes that a delta can have under the settings of the contribution's own history. */
  bytesMax(contribution: Contribution): number;
  /** Decodes and keeps a delta; the value is its norm. */
  hold(contribution: Contribution, bytes: Uint8Array): Promise<Verdict<number>>;
  /** Nobody has given it, time and again; it goes on being asked for. */
  lacking(contribution: Contribution): void;
  /** The body is here and can be folded, or never will. */
  settle(contribution: Contribution, verdict: Verdict<unknown>): void;
}

export class Bodies {
  readonly #deps: BodiesDeps;
  readonly #known = lanes(ONE_BLOCK_PULLS_MAX, PULLS_MAX);
  readonly #strangers = lanes(STRANGERS_ONE_BLOCK_PULLS_MAX, STRANGERS_PULLS_MAX);
  readonly #pulling = new Map<ContributionId, Promise<void>>();

  constructor(deps: BodiesDeps) {
    this.#deps = deps;
  }

  /** Starts pulling unless it is being pulled already. */
  pull(contribution: Contribution, fail: (error: unknown) => void): void {
    if (this.#pulling.has(contribution.id)) return;
    const pull = this.#pull(contribution).catch(fail);
    this.#pulling.set(
      contribution.id,
      pull.finally(() => this.#pulling.delete(contribution.id)),
    );
  }

  /** Resolves when nothing is being pulled any more; after the signal was aborted, soon. */
  async idle(): Promise<void> {
    await Promise.all(this.#pulling.values());
  }

  /** Asks until it is here. What nobody has waits outside the queue, or a few names of nothing would fill it for ever. */
  async #pull(contribution: Contribution): Promise<void> {
    const { clock, log, signal } = this.#deps;
    const { view, header } = contribution;
    const { oneBlock, larger } = view.weightOf(header.author) > 0 ? this.#known : this.#strangers;
    const queue = (header.delta?.bytes ?? 0) > BLOCK_BYTES ? larger : oneBlock;
    for (let retryMs = RETRY_MS_FIRST; !signal.aborted; retryMs = Math.min(RETRY_MS_MAX, 2 * retryMs)) {
      try {
        const priority = -retryMs;
        const verdict = await queue.add(() => this.#attempt(contribution), { priority });
        return this.#deps.settle(contribution, verdict);
      } catch (error) {
        // Nobody could give it now; holders come and go, so ask again.
        if (signal.aborted) return;
        log.debug("body not found yet", { id: contribution.id, error: messageOf(error) });
        if (retryMs >= LACKING_MS) this.#deps.lacking(contribution);
        await pause(clock, retryMs, signal);
      }
    }
  }

  async #attempt(contribution: Contribution): Promise<Verdict<unknown>> {
    const { id, header } = contribution;
    const { delta } = header;
    if (delta === null) return accept(undefined);
    const bytesMax = this.#deps.bytesMax(contribution);
    if (delta.bytes > bytesMax) {
      return reject("DELTA_BYTES", `expected at most ${bytesMax} bytes in this round, got ${delta.bytes}`);
    }
    const { blocks, swarm, signal } = this.#deps;
    const holders = (): PeerId[] => this.#holders(id, header.author, header.round);
    const pulled = await pullBody(blocks, delta.cid, {
      bytesMax: delta.bytes,
      fetch: (cids, take) => swarm.fetchBlocks({ cids, root: delta.cid, holders, take, signal }),
    });
    if (pulled.kind !== "accept") return pulled;
    if (pulled.value.length !== delta.bytes) {
      return reject(
        "DELTA_BYTES",
        `expected ${delta.bytes} bytes as the header says, got ${pulled.value.length}`,
      );
    }
    const held = await this.#deps.hold(contribution, pulled.value);
    if (held.kind === "accept" && held.value !== delta.norm) {
      return reject("DELTA_NORM", `expected norm ${delta.norm} as the header says, got ${held.value}`);
    }
    return held;
  }

  #holders(id: ContributionId, author: PeerId, round: number): PeerId[] {
    const { graph, swarm } = this.#deps;
    const citers = graph
      .round(round + 1)
      .filter(({ header }) => header.parents.includes(id))
      .map(({ header }) => header.author);
    const connected = new Set(swarm.peers());
    const first = [author, ...citers].filter((peer) => connected.has(peer));
    const holders = [...new Set([...first, ...connected])].filter((peer) => peer !== swarm.peerId);
    // A relay's line is somebody else's: whoever has the body and a direct connection comes first.
    return holders.toSorted((a, b) => Number(swarm.isRelayed(a)) - Number(swarm.isRelayed(b)));
  }
}

/** For bodies of one block, and for larger ones: neither waits for the other. */
function lanes(
  oneBlockMax: number,
  largerMax: number,
): { readonly oneBlock: PQueue; readonly larger: PQueue } {
  return {
    oneBlock: new PQueue({ concurrency: oneBlockMax }),
    larger: new PQueue({ concurrency: largerMax }),
  };
}

/** Says in the log every few seconds how far a long fetch is: what a user sees while a node joins. */
import type { Cid, Clock, Logger } from "../../core/index.ts";

/** Guess: often enough to see that it goes on, and no flood in a log that is kept. */
const SAY_EVERY_MS = 5_000;

type Take = (cid: Cid, block: Uint8Array) => Promise<void>;

export interface SaidFetch {
  /** What comes, for people. */
  readonly what: string;
  readonly blocksCount: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** `take`, which counts what it is given. */
export function saidProgress(take: Take, { what, blocksCount, clock, log }: SaidFetch): Take {
  let blocks = 0;
  let bytes = 0;
  const startedMs = clock.nowMs();
  let saidMs = startedMs;
  return async (cid, block) => {
    await take(cid, block);
    blocks += 1;
    bytes += block.length;
    const nowMs = clock.nowMs();
    if (nowMs - saidMs < SAY_EVERY_MS) return;
    saidMs = nowMs;
    const bytesPerSecond = Math.round((1000 * bytes) / (nowMs - startedMs));
    log.info("fetching", { what, blocks, of: blocksCount, bytes, bytesPerSecond });
  };
}

/** Optimiser moments and residual at the end of the node's own rounds: what it needs to go on after a crash. */
import type { Logger } from "../core/index.ts";
import { type RoundName, SealedFolders } from "./sealed-folders.ts";

export interface StateStore {
  /**
   * Named parts (letters, digits, `.`, `_` and `-`), whole or not at all, durable once it resolves; the parts must not
   * change before. Saving a round again replaces it. Then all but the newest rounds are removed.
   * Throws `DISK_FULL` or `DISK_WRITE_FAILED`.
   */
  save(name: RoundName, parts: ReadonlyMap<string, Uint8Array>): Promise<void>;
  /**
   * Each part in a buffer of its own at offset 0; undefined (and a warning) when any of it is missing or damaged.
   * Throws `DISK_READ_FAILED`.
   */
  load(name: RoundName): Promise<Map<string, Uint8Array> | undefined>;
  /** The rounds on disk, the one saved last first. */
  list(): Promise<RoundName[]>;
}

/**
 * The states in `dir`, which is `states` of a data folder that this process holds: so that the thread which owns the
 * arrays can save them itself. Only one caller at a time may save. `keep`: rounds, default 2, so that a damaged
 * newest has one before it.
 */
export function openStates(dir: string, options: { keep?: number; log?: Logger } = {}): StateStore {
  const folders = new SealedFolders({ dir, ...options });
  return {
    save: (name, parts) => folders.save(name, parts),
    load: (name) => folders.load(name),
    list: () => folders.list(),
  };
}

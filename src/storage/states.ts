/** Optimiser moments and residual at the end of the node's own rounds: what it needs to go on after a crash. */
import type { Digest, Logger } from "../core/index.ts";
import { type RoundName, SealedFolders } from "./sealed-folders.ts";

export interface StateStore {
  /**
   * Named parts (letters, digits, `.`, `_` and `-`), whole or not at all; the parts must not change before it resolves, with
   * their Merkle roots. Saving a round again replaces it. `durable` (default: true): outlives the death of the machine,
   * and all but the newest rounds are removed; else only that of the process, until `sync`.
   * Throws `DISK_FULL` or `DISK_WRITE_FAILED`.
   */
  save(
    name: RoundName,
    parts: ReadonlyMap<string, Uint8Array>,
    o?: { durable?: boolean },
  ): Promise<ReadonlyMap<string, Digest>>;
  /** Makes durable what was saved last. Throws as `save` does. */
  sync(): Promise<void>;
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
    save: (name, parts, o) => folders.save(name, parts, o),
    sync: () => folders.sync(),
    load: (name) => folders.load(name),
    list: () => folders.list(),
  };
}

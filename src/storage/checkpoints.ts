/** Settled weights as files: `checkpoints/<phase>-<round>-<serial>/` with `meta.json` and `weights.bin`. */
import { type Digest, type Logger, type RunId, assert } from "../core/index.ts";
import { SealedFolders } from "./sealed-folders.ts";

export interface CheckpointMeta {
  readonly run: RunId;
  readonly phase: number;
  readonly round: number;
  /** The settled root: of weights and accounts. */
  readonly root: Digest;
  readonly weightsRoot: Digest;
  /** Accepted work, which voting weight is made of; what is in it is for others to say. */
  readonly accounts: object;
}

export interface CheckpointStore {
  /**
   * Whole or not at all, durable once it resolves; the weights must not change before. Saving a round again replaces
   * it. Then all but the newest are removed. Throws `DISK_FULL` or `DISK_WRITE_FAILED`.
   */
  save(meta: CheckpointMeta, weights: Uint8Array): Promise<void>;
  /**
   * The one saved last; when that is damaged (a warning says so), the one before. The weights are in a buffer of
   * their own at offset 0. Throws `DISK_READ_FAILED`.
   */
  latest(): Promise<{ meta: CheckpointMeta; weights: Uint8Array } | undefined>;
}

/**
 * The checkpoints in `dir`, which is `checkpoints` of a data folder that this process holds: so that the thread which
 * owns the weights can save them itself. Only one caller at a time may save. `keep`: default 2, so that a damaged
 * newest has one before it.
 */
export function openCheckpoints(dir: string, options: { keep?: number; log?: Logger } = {}): CheckpointStore {
  const folders = new SealedFolders({ dir, ...options });
  return {
    async save(meta, weights) {
      const files = new Map([
        ["meta.json", Buffer.from(`${JSON.stringify(meta, undefined, 2)}\n`)],
        ["weights.bin", weights],
      ]);
      await folders.save(meta, files);
    },
    async latest() {
      const newest = await folders.latest();
      if (newest === undefined) return undefined;
      const meta = newest.files.get("meta.json");
      const weights = newest.files.get("weights.bin");
      assert(
        meta !== undefined && weights !== undefined,
        "a sealed checkpoint has meta.json and weights.bin",
      );
      return { meta: JSON.parse(Buffer.from(meta).toString()) as CheckpointMeta, weights };
    },
  };
}

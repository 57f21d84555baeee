/**
 * Settled weights as files: `checkpoints/<phase>-<round>-<serial>/` with `meta.json` and
 * `weights.bin`; `base.cbor`, a record of the state for those who join at it; `weights.node`, the list of the blocks of
 * weights above 1 MiB, so that they can be served from where they lie.
 */
import { BLOCK_BYTES, type Digest, type Logger, type RunId, assert } from "../core/index.ts";
import { cutBody } from "./body.ts";
import { type RoundName, SealedFolders } from "./sealed-folders.ts";

export const META_FILE = "meta.json";
export const WEIGHTS_FILE = "weights.bin";
export const BASE_FILE = "base.cbor";
export const NODE_FILE = "weights.node";

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

export interface SavedCheckpoint {
  readonly meta: CheckpointMeta;
  readonly weights: Uint8Array;
  /** What joiners are told of it; undefined when nobody can join at it. */
  readonly base: Uint8Array | undefined;
}

export interface CheckpointStore {
  /**
   * Whole or not at all, durable once it resolves; the weights must not change before. Saving a round again replaces
   * it. Then all but the newest are removed. Throws `DISK_FULL` or `DISK_WRITE_FAILED`.
   */
  save(meta: CheckpointMeta, weights: Uint8Array, base?: Uint8Array): Promise<void>;
  /**
   * The one saved last; when that is damaged (a warning says so), the one before. The weights are in a buffer of
   * their own at offset 0. Throws `DISK_READ_FAILED`.
   */
  latest(): Promise<SavedCheckpoint | undefined>;
  /** Another name after each save, by which a process that only reads sees that there is a newer one. */
  newest(): Promise<string | undefined>;
  /** Undefined (and a warning) when it is damaged, or not there. */
  load(name: RoundName): Promise<SavedCheckpoint | undefined>;
  /** The newest of a phase that is whole. */
  latestOf(phase: number): Promise<SavedCheckpoint | undefined>;
  /** The newest that has a record and is whole. */
  latestBase(): Promise<SavedCheckpoint | undefined>;
}

/**
 * The checkpoints in `dir`, which is `checkpoints` of a data folder that this process holds: so that the thread which
 * owns the weights can save them itself. Only one caller at a time may save. `keep`: default 2, so that a damaged
 * newest has one before it.
 */
export function openCheckpoints(dir: string, options: { keep?: number; log?: Logger } = {}): CheckpointStore {
  const folders = new SealedFolders({ dir, ...options });
  return {
    async save(meta, weights, base) {
      const files = new Map<string, Uint8Array>([
        [META_FILE, Buffer.from(`${JSON.stringify(meta, undefined, 2)}\n`)],
        [WEIGHTS_FILE, weights],
      ]);
      if (base !== undefined) files.set(BASE_FILE, base);
      if (base !== undefined && weights.length > BLOCK_BYTES)
        files.set(NODE_FILE, cutBody(weights).root.bytes);
      await folders.save(meta, files);
    },
    async latest() {
      const newest = await folders.latest();
      return newest && checkpointOf(newest.files);
    },
    newest: () => folders.newest(),
    async load(name) {
      const files = await folders.load(name);
      return files && checkpointOf(files);
    },
    async latestOf(phase) {
      for (const name of await folders.list()) {
        const files = name.phase === phase ? await folders.load(name) : undefined;
        if (files !== undefined) return checkpointOf(files);
      }
      return undefined;
    },
    async latestBase() {
      for (const name of await folders.list()) {
        const files = await folders.load(name);
        if (files?.has(BASE_FILE) === true) return checkpointOf(files);
      }
      return undefined;
    },
  };
}

function checkpointOf(files: ReadonlyMap<string, Uint8Array>): SavedCheckpoint {
  const meta = files.get(META_FILE);
  const weights = files.get(WEIGHTS_FILE);
  assert(meta !== undefined && weights !== undefined, "a sealed checkpoint has meta.json and weights.bin");
  return {
    meta: JSON.parse(Buffer.from(meta).toString()) as CheckpointMeta,
    weights,
    base: files.get(BASE_FILE),
  };
}

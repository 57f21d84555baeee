/**
 * What stays on the disk. Bodies whose time is over (retention.ts) are deleted at once, or, by who archives, only when room
 * is short; then shards go, which come again from peers when training asks for them, the one not used for longest first.
 * Nothing else ever goes: what has not settled for long is needed, our own work above all.
 */
import { join } from "node:path";
import { BLOCK_BYTES, type Cid, type Logger } from "../../core/index.ts";
import { type BlockStore, bodyBlocks, folderBytes } from "../../storage/index.ts";

export interface DiskOptions {
  /** Keep all bodies. */
  readonly archive: boolean;
  /** Of the whole data folder; null: no bound. */
  readonly bytesMax: number | null;
}

const BLOCKS = "blocks";

export class DiskKeeper {
  readonly #options: DiskOptions;
  readonly #disk: BlockStore;
  readonly #dataDir: string;
  readonly #log: Logger;
  /** Bodies whose time is over and that are still here, the oldest first. */
  #old: Cid[] = [];
  /** May go; the one used last is last. */
  readonly #shards = new Set<Cid>();
  #blocksBytes = 0;
  #otherBytes = 0;
  #isShort = false;

  constructor(options: DiskOptions, deps: { blocks: BlockStore; dataDir: string; log: Logger }) {
    this.#options = options;
    this.#disk = deps.blocks;
    this.#dataDir = deps.dataDir;
    this.#log = deps.log;
  }

  /** Before anything is written. `shards`: of the run's data, which peers hold too. */
  async start(shards: readonly Cid[]): Promise<void> {
    for (const cid of shards) this.#shards.add(cid);
    if (this.#options.bytesMax === null) return;
    this.#blocksBytes = await folderBytes(join(this.#dataDir, BLOCKS));
    await this.#weighOthers();
    await this.#makeRoom(0);
  }

  /** The node's blocks, each put where there is room for it. */
  get blocks(): BlockStore {
    const disk = this.#disk;
    return {
      ...disk,
      get: (cid) => {
        this.#touch(cid);
        return disk.get(cid);
      },
      put: async (cid, bytes, o) => {
        this.#touch(cid);
        const isNew = this.#options.bytesMax !== null && !(await disk.has(cid));
        if (isNew) await this.#makeRoom(bytes.length);
        await disk.put(cid, bytes, o);
        if (isNew) this.#blocksBytes += bytes.length;
      },
      delete: (cid) => this.#delete(cid),
    };
  }

  /** How many more whole blocks there is room for. */
  get blocksFree(): number {
    const { bytesMax } = this.#options;
    if (bytesMax === null) return Infinity;
    return Math.max(0, Math.floor((bytesMax - this.#blocksBytes - this.#otherBytes) / BLOCK_BYTES));
  }

  /** Bodies whose time is over. */
  async retire(bodies: readonly Cid[]): Promise<void> {
    if (this.#options.archive) this.#old.push(...bodies);
    else for (const body of bodies) await this.#drop(body);
    if (this.#options.bytesMax === null) return;
    await this.#weighOthers();
    await this.#makeRoom(0);
  }

  async #makeRoom(bytes: number): Promise<void> {
    const { bytesMax } = this.#options;
    if (bytesMax === null) return;
    while (this.#blocksBytes + this.#otherBytes + bytes > bytesMax) {
      const body = this.#old.shift();
      const shard = body === undefined ? await this.#oldestShard() : undefined;
      const isShort = body === undefined && shard === undefined;
      if (isShort && !this.#isShort)
        this.#log.warn("the data folder needs more than --disk-max, all of it for what has not settled", {
          bytesMax,
          bytes: this.#blocksBytes + this.#otherBytes + bytes,
        });
      this.#isShort = isShort;
      if (body !== undefined) await this.#drop(body);
      else if (shard !== undefined) await this.#delete(shard);
      else return;
    }
  }

  async #oldestShard(): Promise<Cid | undefined> {
    for (const cid of this.#shards) if (await this.#disk.has(cid)) return cid;
    return undefined;
  }

  async #drop(body: Cid): Promise<void> {
    if (!(await this.#disk.has(body))) return;
    for (const block of await bodyBlocks(this.#disk, body)) await this.#delete(block);
  }

  async #delete(cid: Cid): Promise<void> {
    const isCounted = this.#options.bytesMax !== null && (await this.#disk.has(cid));
    const bytes = isCounted ? ((await this.#disk.get(cid))?.length ?? 0) : 0;
    await this.#disk.delete(cid);
    this.#blocksBytes -= bytes;
  }

  #touch(cid: Cid): void {
    if (this.#shards.delete(cid)) this.#shards.add(cid);
  }

  /** Checkpoints and states, of which there is one more while it is saved; headers; the rest is small. */
  async #weighOthers(): Promise<void> {
    const others = await folderBytes(this.#dataDir, [BLOCKS]);
    const saved = await Promise.all(
      ["checkpoints", "states"].map((name) => folderBytes(join(this.#dataDir, name))),
    );
    this.#otherBytes = others + (saved[0] ?? 0) / 2 + (saved[1] ?? 0) / 2;
  }
}

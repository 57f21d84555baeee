/** What the node uses of its host, looked at every few seconds: speed, processor, memory, traffic, and the data folder. */
import { readdir, stat, statfs } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { type Clock, type Logger, messageOf, pause } from "../../core/index.ts";
import type { HostFacts, Samples } from "../../dashboard/index.ts";

/** Guess: fine enough to see a round in it. */
const INTERVAL_MS = 5_000;
/** Half an hour. */
const SAMPLES_MAX = 360;
/** The folder is walked this often: it may hold many thousands of blocks. Guess. */
const DISK_EVERY = 12;
/** Files counted at most; a larger folder is reported as at least this. Guess. */
const FILES_MAX = 100_000;

interface Sample {
  readonly atMs: number;
  readonly tokensPerSecond: number | null;
  readonly cpuShare: number | null;
  readonly memoryBytes: number;
  readonly inBytesPerSecond: number | null;
  readonly outBytesPerSecond: number | null;
}

/** What is asked of the node at each look. */
export interface Load {
  readonly tokensPerSecond: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export type HostUse = Pick<
  HostFacts,
  "cpuShare" | "coresCount" | "memoryBytes" | "memoryTotalBytes" | "diskBytes" | "diskFreeBytes"
>;

export class HostSamples {
  readonly #clock: Clock;
  readonly #dataDir: string;
  readonly #log: Logger;
  readonly #samples: Sample[] = [];
  #before: { atMs: number; cpuMicros: number; bytesIn: number; bytesOut: number } | undefined;
  #diskBytes: number | null = null;
  #diskFreeBytes: number | null = null;

  constructor(o: { clock: Clock; dataDir: string; log: Logger }) {
    this.#clock = o.clock;
    this.#dataDir = o.dataDir;
    this.#log = o.log;
  }

  /** Until the signal is aborted. */
  async run(load: () => Load, taken: () => void, signal: AbortSignal): Promise<void> {
    let count = 0;
    do {
      this.#take(load());
      if (count++ % DISK_EVERY === 0) await this.#measureDisk();
      taken();
    } while (await pause(this.#clock, INTERVAL_MS, signal));
  }

  use(): HostUse {
    return {
      cpuShare: this.#samples.at(-1)?.cpuShare ?? null,
      coresCount: availableParallelism(),
      memoryBytes: process.memoryUsage.rss(),
      memoryTotalBytes: totalmem(),
      diskBytes: this.#diskBytes,
      diskFreeBytes: this.#diskFreeBytes,
    };
  }

  columns(): Samples {
    const column = <K extends keyof Sample>(key: K): Sample[K][] =>
      this.#samples.map((sample) => sample[key]);
    return {
      atMs: column("atMs"),
      tokensPerSecond: column("tokensPerSecond"),
      cpuShare: column("cpuShare"),
      memoryBytes: column("memoryBytes"),
      inBytesPerSecond: column("inBytesPerSecond"),
      outBytesPerSecond: column("outBytesPerSecond"),
    };
  }

  #take({ tokensPerSecond, bytesIn, bytesOut }: Load): void {
    const atMs = this.#clock.nowMs();
    const { user, system } = process.cpuUsage();
    const now = { atMs, cpuMicros: user + system, bytesIn, bytesOut };
    const before = this.#before;
    const seconds = before === undefined ? 0 : (atMs - before.atMs) / 1000;
    const rate = (to: number, from: number): number | null => (seconds > 0 ? (to - from) / seconds : null);
    const cores = availableParallelism();
    this.#samples.push({
      atMs,
      tokensPerSecond,
      cpuShare:
        before && seconds > 0
          ? Math.min(1, (now.cpuMicros - before.cpuMicros) / 1e6 / seconds / cores)
          : null,
      memoryBytes: process.memoryUsage.rss(),
      inBytesPerSecond: rate(bytesIn, before?.bytesIn ?? 0),
      outBytesPerSecond: rate(bytesOut, before?.bytesOut ?? 0),
    });
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
    this.#before = now;
  }

  async #measureDisk(): Promise<void> {
    try {
      const { bavail, bsize } = await statfs(this.#dataDir);
      this.#diskFreeBytes = bavail * bsize;
      this.#diskBytes = await folderBytes(this.#dataDir);
    } catch (error) {
      // Files come and go while we walk; the next look counts again.
      this.#log.debug("data folder not measured", { error: messageOf(error) });
    }
  }
}

/** Sum of the sizes of the files in a folder and below it. */
async function folderBytes(dir: string): Promise<number> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  let bytes = 0;
  for (const entry of entries.slice(0, FILES_MAX)) {
    if (!entry.isFile()) continue;
    // A file that is gone by now has no size.
    bytes += await stat(join(entry.parentPath, entry.name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return bytes;
}

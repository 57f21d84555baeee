/** Bytes on the wire in a calendar month, over restarts: kept in the data folder, a minute's worth may be lost by a kill. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeFiles } from "../../storage/index.ts";

const FILE = "traffic.json";

const shape: z.ZodType<Month> = z.strictObject({
  month: z.string().regex(/^\d{4}-\d\d$/),
  bytes: z.number().min(0),
});

interface Month {
  /** `2026-11` */
  readonly month: string;
  readonly bytes: number;
}

export class Allowance {
  readonly #dataDir: string;
  readonly #bytesMax: number;
  #used: Month;
  /** Of this process, as it was last counted. */
  #counted = 0;

  static async open(dataDir: string, bytesMax: number, now: Date): Promise<Allowance> {
    const stored = shape.safeParse(await readJson(join(dataDir, FILE)));
    // Unreadable, or of another month: this month begins with nothing used.
    const month = monthOf(now);
    const used = stored.success && stored.data.month === month ? stored.data : { month, bytes: 0 };
    return new Allowance(dataDir, bytesMax, used);
  }

  private constructor(dataDir: string, bytesMax: number, used: Month) {
    this.#dataDir = dataDir;
    this.#bytesMax = bytesMax;
    this.#used = used;
  }

  get usedBytes(): number {
    return this.#used.bytes;
  }

  /** `bytes`: of this process since its start, both ways. Whether the month's are used up. */
  count(bytes: number, now: Date): boolean {
    const month = monthOf(now);
    const before = month === this.#used.month ? this.#used.bytes : 0;
    this.#used = { month, bytes: before + Math.max(0, bytes - this.#counted) };
    this.#counted = bytes;
    return this.#used.bytes >= this.#bytesMax;
  }

  async save(): Promise<void> {
    const text = `${JSON.stringify(this.#used)}\n`;
    await writeFiles(this.#dataDir, new Map([[FILE, new TextEncoder().encode(text)]]));
  }
}

function monthOf(now: Date): string {
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}`;
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    // None yet, or a torn one: the caller begins anew.
    return undefined;
  }
}

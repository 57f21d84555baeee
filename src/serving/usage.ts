/** How much each key has used: numbers, and never a word of what was asked or written. */
import { z } from "zod";

export interface Usage {
  /** That a text was begun for. */
  readonly requests: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

const count = z.int().min(0);
export const usageSchema: z.ZodType<Record<string, Usage>> = z.record(
  z.string(),
  z.strictObject({ requests: count, promptTokens: count, completionTokens: count }),
);

const NOTHING: Usage = { requests: 0, promptTokens: 0, completionTokens: 0 };

export class UsageBook {
  readonly #byName: Map<string, Usage>;
  /** Counts up with each change. */
  version = 0;

  constructor(before: Readonly<Record<string, Usage>> = {}) {
    this.#byName = new Map(Object.entries(before));
  }

  add(name: string, { requests, promptTokens, completionTokens }: Usage): void {
    const before = this.of(name);
    this.#byName.set(name, {
      requests: before.requests + requests,
      promptTokens: before.promptTokens + promptTokens,
      completionTokens: before.completionTokens + completionTokens,
    });
    this.version += 1;
  }

  of(name: string): Usage {
    return this.#byName.get(name) ?? NOTHING;
  }

  all(): Record<string, Usage> {
    return Object.fromEntries(this.#byName);
  }
}

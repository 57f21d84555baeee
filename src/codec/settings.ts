/**
 * What two peers must agree on before one can read the other's delta. A schedule of them (schedule.ts) is part of the
 * manifest, so it is hashed into the run's name.
 */
import { z } from "zod";
import { assert } from "../core/index.ts";

/** Elements that share magnitudes and an index range. From: SparseLoCo (arXiv 2508.15706), 64 x 64. */
export const CHUNK_LENGTH = 4096;

export interface CodecSettings {
  /** Elements kept of each full chunk, 16..4096. 4096 is dense: no indices are sent. 64 is a density of 1/64. */
  readonly keepPerChunk: number;
  /** Bits per kept element: a sign, and one of 2, 8 or 128 magnitudes. */
  readonly valueBits: 2 | 4 | 8;
}

/** The fields as a manifest may have them. */
export const settingsFields: { [K in keyof CodecSettings]: z.ZodType<CodecSettings[K]> } = {
  keepPerChunk: z
    .int()
    .min(16)
    .max(CHUNK_LENGTH)
    .describe(
      "elements kept of each chunk of 4096: 4096 is dense, 64 a density of 1/64 (SparseLoCo: 32 to 128)",
    ),
  valueBits: z
    .literal([2, 4, 8])
    .describe("bits per kept element: a sign and one of 2, 8 or 128 magnitudes (SparseLoCo: 2)"),
};

/** Elements kept of a chunk of `length`: ceil(keepPerChunk * length / 4096), so at least one. */
export function keptOf(length: number, settings: CodecSettings): number {
  return Math.ceil((settings.keepPerChunk * length) / CHUNK_LENGTH);
}

/** Settings come from a parsed manifest; anything else here is our own mistake. */
export function assertSettings({ keepPerChunk, valueBits }: CodecSettings): void {
  assert(
    Number.isInteger(keepPerChunk) && keepPerChunk >= 16 && keepPerChunk <= CHUNK_LENGTH,
    `keepPerChunk is an integer in 16..${CHUNK_LENGTH}, got ${keepPerChunk}`,
  );
  assert([2, 4, 8].includes(valueBits), `valueBits is 2, 4 or 8, got ${String(valueBits)}`);
}

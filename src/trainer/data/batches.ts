/** Which tokens a step trains on. Assigned by seed, so that an audit can draw the same batch again. */
import { z } from "zod";
import { SeededRandom, StarlingError } from "../../core/index.ts";

export interface BatchConfig {
  /** B: sequences per optimiser step. */
  readonly sequences: number;
  /** Optimiser steps that a node means to do per round. */
  readonly stepsPerRound: number;
  /** Most steps that one contribution may claim. */
  readonly stepsMax: number;
}

export const batchSchema: z.ZodType<BatchConfig> = z
  .strictObject({
    sequences: z.number().int().min(1).max(4096),
    stepsPerRound: z.number().int().min(1).max(100_000),
    stepsMax: z.number().int().min(1).max(100_000),
  })
  .refine((o) => o.stepsPerRound <= o.stepsMax, {
    path: ["stepsPerRound"],
    error: ({ input }) => {
      const { stepsPerRound, stepsMax } = input as BatchConfig;
      return `expected stepsPerRound <= stepsMax ${stepsMax}, got ${stepsPerRound}`;
    },
  });

/** Text bytes -> what is trained on and what is only measured on: the last `heldOutShare` (0..1) of the bytes. */
export function splitHeldOut(
  bytes: Uint8Array,
  heldOutShare: number,
): { train: Uint8Array; heldOut: Uint8Array } {
  const cut = bytes.length - Math.floor(bytes.length * heldOutShare);
  return { train: bytes.subarray(0, cut), heldOut: bytes.subarray(cut) };
}

/**
 * The batch of one step, (B * (T + 1),): B windows at offsets drawn from `${seed}/${step}`, where the seed comes
 * from (settled root, round, author).
 * @throws StarlingError `DATA_TOO_SHORT` when `train` holds less than one window.
 */
export function assignedBatch(
  train: Uint8Array,
  o: { seed: string; step: number; sequences: number; contextLength: number },
): Int32Array {
  const windowLength = checkedWindow(train, o.contextLength);
  const random = new SeededRandom(`${o.seed}/${o.step}`);
  const offsets = Array.from({ length: o.sequences }, () => random.below(train.length - windowLength + 1));
  return windowsAt(train, offsets, windowLength);
}

/**
 * At most `batchesMax` batches, (B * (T + 1),) each, evenly spaced over the held-out bytes; always the same ones.
 * @throws StarlingError `DATA_TOO_SHORT` when `heldOut` holds less than one window.
 */
export function heldOutBatches(
  heldOut: Uint8Array,
  o: { sequences: number; contextLength: number; batchesMax: number },
): Int32Array[] {
  const windowLength = checkedWindow(heldOut, o.contextLength);
  const windows = Math.floor(heldOut.length / windowLength);
  const batches = Math.max(1, Math.min(o.batchesMax, Math.floor(windows / o.sequences)));
  const last = heldOut.length - windowLength;
  const count = batches * o.sequences;
  const offsets = Array.from({ length: count }, (_, i) => Math.floor((i * last) / Math.max(1, count - 1)));
  return Array.from({ length: batches }, (_, i) =>
    windowsAt(heldOut, offsets.slice(i * o.sequences, (i + 1) * o.sequences), windowLength),
  );
}

function checkedWindow(bytes: Uint8Array, contextLength: number): number {
  const windowLength = contextLength + 1;
  if (bytes.length >= windowLength) return windowLength;
  throw new StarlingError(
    "DATA_TOO_SHORT",
    `expected at least ${windowLength} bytes (one context and its last target), got ${bytes.length}: add text or shorten the context`,
  );
}

function windowsAt(bytes: Uint8Array, offsets: readonly number[], windowLength: number): Int32Array {
  const batch = new Int32Array(offsets.length * windowLength);
  offsets.forEach((offset, i) => batch.set(bytes.subarray(offset, offset + windowLength), i * windowLength));
  return batch;
}

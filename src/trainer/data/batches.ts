/**
 * Which tokens a step trains on. Assigned by seed, so that an audit can draw the same batch again.
 *
 * Steps draw shards one after another, each for about as many tokens as a full shard holds, so that a node pulls no more
 * data than it trains on; the windows of a step are drawn within the shard.
 */
import { z } from "zod";
import { SeededRandom, StarlingError, assert } from "../../core/index.ts";
import type { ShardName, ShardSource, Tokens } from "./shards.ts";

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

export interface Assignment {
  /** From (settled root, round, author). */
  readonly seed: string;
  /** Of the round. */
  readonly step: number;
  readonly sequences: number;
  readonly contextLength: number;
}

/**
 * The batch of one step, (B * (T + 1),), from the shard that it is assigned.
 * @throws StarlingError `DATA_TOO_SHORT` when no shard holds a window; what `source.read` rejects with.
 */
export async function nextBatch(source: ShardSource, o: Assignment): Promise<Int32Array> {
  return assignedBatch(await source.read(assignedShard(source.train, o)), o);
}

/**
 * The same from the tokens of that shard: B windows at places drawn from `${seed}/${step}`.
 * @throws StarlingError `DATA_TOO_SHORT` when `tokens` holds less than one window.
 */
export function assignedBatch(tokens: Tokens, o: Assignment): Int32Array {
  const windows = windowsIn({ tokens: tokens.length }, o.contextLength);
  if (windows === 0) throw tooShort([{ tokens: tokens.length }], o.contextLength);
  const random = new SeededRandom(`${o.seed}/${o.step}`);
  const batch = new Int32Array(o.sequences * (o.contextLength + 1));
  for (let b = 0; b < o.sequences; b++) copyWindow(tokens, random.below(windows), { batch, b, o });
  return batch;
}

/**
 * The shard that a step reads: the n-th draw from `${seed}/shards`, where n counts the shards' worth of tokens that the
 * round has used before. Each is drawn as often as it has windows: a draw that falls beyond a shard's own is repeated.
 */
export function assignedShard(shards: readonly ShardName[], o: Assignment): ShardName {
  const windows = shards.map((shard) => windowsIn(shard, o.contextLength));
  const windowsMax = windows.reduce((a, b) => Math.max(a, b), 0);
  if (windowsMax === 0) throw tooShort(shards, o.contextLength);
  const shardTokens = shards.reduce((most, { tokens }) => Math.max(most, tokens), 0);
  const draws = Math.floor((o.step * o.sequences * o.contextLength) / shardTokens);
  const random = new SeededRandom(`${o.seed}/shards`);
  let drawn = 0;
  for (let draw = 0; draw <= draws; draw++) {
    do drawn = random.below(shards.length);
    while (random.below(windowsMax) >= (windows[drawn] as number));
  }
  return shards[drawn] as ShardName;
}

/**
 * At most `batchesMax` batches, (B * (T + 1),) each, of windows evenly spaced over all that is held out; always the same
 * ones.
 * @throws StarlingError `DATA_TOO_SHORT` when no shard holds a window; what `source.read` rejects with.
 */
export async function heldOutBatches(
  source: ShardSource,
  o: { sequences: number; contextLength: number; batchesMax: number },
): Promise<Int32Array[]> {
  const shards = source.heldOut.filter((shard) => windowsIn(shard, o.contextLength) > 0);
  if (shards.length === 0) throw tooShort(source.heldOut, o.contextLength);
  const apart = sum(shards.map(({ tokens }) => Math.floor(tokens / (o.contextLength + 1))));
  const batches = Math.max(1, Math.min(o.batchesMax, Math.floor(apart / o.sequences)));
  const last = sum(shards.map((shard) => windowsIn(shard, o.contextLength))) - 1;
  const count = batches * o.sequences;
  const all = Array.from({ length: batches }, () => new Int32Array(o.sequences * (o.contextLength + 1)));
  let shard = 0;
  let before = 0; // windows of earlier shards
  for (let i = 0; i < count; i++) {
    const place = Math.floor((i * last) / Math.max(1, count - 1));
    while (place - before >= windowsIn(shards[shard] as ShardName, o.contextLength)) {
      before += windowsIn(shards[shard++] as ShardName, o.contextLength);
    }
    const tokens = await source.read(shards[shard] as ShardName);
    const batch = all[Math.floor(i / o.sequences)] as Int32Array;
    copyWindow(tokens, place - before, { batch, b: i % o.sequences, o });
  }
  return all;
}

/** Places in a shard where T inputs and their last target fit. */
function windowsIn({ tokens }: Pick<ShardName, "tokens">, contextLength: number): number {
  return Math.max(0, tokens - contextLength);
}

/** Row b of the batch = the window at `place`. */
function copyWindow(
  tokens: Tokens,
  place: number,
  { batch, b, o }: { batch: Int32Array; b: number; o: { contextLength: number } },
): void {
  const length = o.contextLength + 1;
  assert(
    place + length <= tokens.length,
    `expected a window of ${length} at ${place} of ${tokens.length} tokens`,
  );
  batch.set(tokens.subarray(place, place + length), b * length);
}

function tooShort(shards: readonly Pick<ShardName, "tokens">[], contextLength: number): StarlingError {
  const most = shards.reduce((a, { tokens }) => Math.max(a, tokens), 0);
  return new StarlingError(
    "DATA_TOO_SHORT",
    `expected at least ${contextLength + 1} tokens in a shard (one context and its last target), got ${most}: add text or shorten the context`,
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

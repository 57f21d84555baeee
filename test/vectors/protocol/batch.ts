/** batch.json: the seed of an author's batches in a round, and where the windows of its steps are. */
import { batchSeed } from "../../../src/consensus/index.ts";
import { RAW, SeededRandom, cidOf } from "../../../src/core/index.ts";
import { assignedBatch, assignedShard } from "../../../src/trainer/index.ts";
import { digestOfText, peerOf } from "../../support/run-of.ts";

export interface BatchVector {
  settled: string;
  round: number;
  author: string;
  seed: string;
  step: number;
  /** Tokens of each shard. */
  shards: number[];
  sequences: number;
  contextLength: number;
  /** The shard that the step reads. */
  shard: number;
  /** Where in it each window of contextLength + 1 tokens begins. */
  offsets: number[];
}

export function batchVectors(): BatchVector[] {
  return [
    { shards: [33], sequences: 2, contextLength: 32, round: 0, step: 0 },
    { shards: [36_000], sequences: 4, contextLength: 32, round: 3, step: 4 },
    { shards: [45_500], sequences: 6, contextLength: 2, round: 70_000, step: 11 },
    { shards: [4096, 4096, 700], sequences: 2, contextLength: 64, round: 5, step: 31 },
    { shards: [4096, 4096, 700], sequences: 2, contextLength: 64, round: 5, step: 100 },
  ].map(({ shards, sequences, contextLength, round, step }) => {
    const settled = digestOfText(`settled ${round}`);
    const author = peerOf(`author ${round}`);
    const seed = batchSeed(settled, round, author);
    const names = shards.map((tokens, i) => ({ cid: cidOf(Uint8Array.of(i), RAW), tokens }));
    const o = { seed, step, sequences, contextLength };
    const shard = names.indexOf(assignedShard(names, o) as (typeof names)[number]);
    const tokens = tokensOf(shards[shard] as number);
    const batch = assignedBatch(tokens, o);
    const offsets = Array.from({ length: sequences }, (_, b) => {
      const window = batch.subarray(b * (contextLength + 1), (b + 1) * (contextLength + 1));
      return placeOf(tokens, window);
    });
    return { settled, round, author, seed, step, shards, sequences, contextLength, shard, offsets };
  });
}

/** Random bytes: a window occurs in them once, so that it says where it was taken. */
function tokensOf(length: number): Uint8Array {
  const random = new SeededRandom("text");
  return Uint8Array.from({ length }, () => random.below(256));
}

function placeOf(tokens: Uint8Array, window: Int32Array): number {
  const places: number[] = [];
  for (let at = 0; at + window.length <= tokens.length; at++)
    if (window.every((token, i) => token === tokens[at + i])) places.push(at);
  if (places.length !== 1) throw new Error(`expected one place, got ${places.length}`);
  return places[0];
}

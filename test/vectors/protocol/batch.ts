/** batch.json: the seed of an author's batches in a round, and where the windows of its steps begin. */
import { batchSeed } from "../../../src/consensus/index.ts";
import { SeededRandom } from "../../../src/core/index.ts";
import { assignedBatch, splitHeldOut } from "../../../src/trainer/index.ts";
import { digestOfText, peerOf } from "../../support/run-of.ts";

export interface BatchVector {
  settled: string;
  round: number;
  author: string;
  seed: string;
  step: number;
  textBytes: number;
  heldOutShare: number;
  trainBytes: number;
  sequences: number;
  contextLength: number;
  /** Where each window of contextLength + 1 bytes begins. */
  offsets: number[];
}

export function batchVectors(): BatchVector[] {
  return [
    { textBytes: 34, heldOutShare: 0.01, sequences: 2, contextLength: 32, round: 0, step: 0 },
    { textBytes: 40_000, heldOutShare: 0.1, sequences: 4, contextLength: 32, round: 3, step: 4 },
    { textBytes: 65_000, heldOutShare: 0.3, sequences: 6, contextLength: 2, round: 70_000, step: 11 },
  ].map(({ textBytes, heldOutShare, sequences, contextLength, round, step }) => {
    const settled = digestOfText(`settled ${round}`);
    const author = peerOf(`author ${round}`);
    const seed = batchSeed(settled, round, author);
    const { train } = splitHeldOut(textOf(textBytes), heldOutShare);
    const batch = assignedBatch(train, { seed, step, sequences, contextLength });
    const offsets = Array.from({ length: sequences }, (_, b) => {
      const window = batch.subarray(b * (contextLength + 1), (b + 1) * (contextLength + 1));
      return placeOf(train, window);
    });
    const split = { textBytes, heldOutShare, trainBytes: train.length };
    return { settled, round, author, seed, step, ...split, sequences, contextLength, offsets };
  });
}

/** Random bytes: a window occurs in them once, so that it says where it was taken. */
function textOf(length: number): Uint8Array {
  const random = new SeededRandom("text");
  return Uint8Array.from({ length }, () => random.below(256));
}

function placeOf(train: Uint8Array, window: Int32Array): number {
  const places: number[] = [];
  for (let at = 0; at + window.length <= train.length; at++)
    if (window.every((token, i) => token === train[at + i])) places.push(at);
  if (places.length !== 1) throw new Error(`expected one place, got ${places.length}`);
  return places[0];
}

/**
 * What the gates go by, in one pass over a delta: how much of what it changes is what we changed ourselves, and a sketch
 * by which it is known again. Of a large model only a sample of the chunks is read.
 */
import { CHUNK_LENGTH, type DeltaReader } from "../../codec/index.ts";
import type { Sample } from "./sample.ts";
import { type Sketch, SketchSum } from "./sketch.ts";

/** A round of our own: `start` in fixed point, `end` in float, (P,) each. */
export interface OwnRound {
  readonly start: Int32Array;
  readonly end: Float32Array;
}

export interface Look {
  /**
   * Cosine of a delta with our own, start - end, over the delta's support alone: top-k deltas of different peers hardly
   * overlap, and over all coordinates their cosine would be near 0 for everybody. 0 when either is zero there.
   */
  readonly cosine: number;
  readonly sketch: Sketch;
}

export function lookAt(delta: DeltaReader, { start, end }: OwnRound, isInSample: Sample): Look {
  const chunk = new Float64Array(CHUNK_LENGTH);
  const sums = new Float64Array(3);
  const sketch = new SketchSum();
  delta.rewind();
  for (let at = 0, number = 0; at < start.length; number++) {
    if (!isInSample(number)) {
      at += delta.skipNextChunk();
      continue;
    }
    const length = delta.addNextChunk(chunk.fill(0), 1);
    addProducts(sums, chunk, { start: start.subarray(at, at + length), end: end.subarray(at, at + length) });
    sketch.add(chunk, length, number);
    at += length;
  }
  const [dot = 0, squares = 0, ownSquares = 0] = sums;
  const isAtRest = squares === 0 || ownSquares === 0;
  return { cosine: isAtRest ? 0 : dot / Math.sqrt(squares * ownSquares), sketch: sketch.end() };
}

/** sums += [d . own, d . d, own . own] where d, the chunk, is not 0. Small, with typed arrays alone: engines make it fast. */
function addProducts(sums: Float64Array, chunk: Float64Array, { start, end }: OwnRound): void {
  let [dot, squares, ownSquares] = [0, 0, 0];
  for (let i = 0; i < start.length; i++) {
    const d = chunk[i] as number;
    if (d === 0) continue;
    const own = (start[i] as number) - (end[i] as number) * 2 ** 24;
    dot += d * own;
    squares += d * d;
    ownSquares += own * own;
  }
  sums[0] = (sums[0] as number) + dot;
  sums[1] = (sums[1] as number) + squares;
  sums[2] = (sums[2] as number) + ownSquares;
}

/** How much of what a delta changes is what we changed ourselves. */
import { CHUNK_LENGTH, type DeltaReader } from "../../codec/index.ts";

/** A round of our own: `start` in fixed point, `end` in float, (P,) each. */
export interface OwnRound {
  readonly start: Int32Array;
  readonly end: Float32Array;
}

/**
 * Cosine of a delta with our own, start - end, over the delta's support alone: top-k deltas of different peers hardly
 * overlap, and over all coordinates their cosine would be near 0 for everybody. 0 when either is zero there.
 */
export function cosineOnSupport(delta: DeltaReader, { start, end }: OwnRound): number {
  const chunk = new Float64Array(CHUNK_LENGTH);
  let dot = 0;
  let squares = 0;
  let ownSquares = 0;
  delta.rewind();
  for (let at = 0; at < start.length;) {
    const length = delta.addNextChunk(chunk.fill(0), 1);
    for (let i = 0; i < length; i++) {
      const d = chunk[i] as number;
      if (d === 0) continue;
      const own = (start[at + i] as number) - (end[at + i] as number) * 2 ** 24;
      dot += d * own;
      squares += d * d;
      ownSquares += own * own;
    }
    at += length;
  }
  return squares === 0 || ownSquares === 0 ? 0 : dot / Math.sqrt(squares * ownSquares);
}

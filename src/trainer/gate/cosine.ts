/** How alike two deltas are. */
import { CHUNK_LENGTH, type DeltaReader } from "../../codec/index.ts";

/**
 * Cosine of a delta with a dense vector (P,), over the delta's support alone: top-k deltas of different peers hardly
 * overlap, and over all coordinates their cosine would be near 0 for everybody. 0 when either is zero there.
 */
export function cosineOnSupport(delta: DeltaReader, dense: Int32Array): number {
  const chunk = new Float64Array(CHUNK_LENGTH);
  let [dot, squares, denseSquares] = [0, 0, 0];
  delta.rewind();
  for (let at = 0; at < dense.length;) {
    const length = delta.addNextChunk(chunk.fill(0), 1);
    for (let i = 0; i < length; i++) {
      const d = chunk[i] as number;
      if (d === 0) continue;
      const x = dense[at + i] as number;
      dot += d * x;
      squares += d * d;
      denseSquares += x * x;
    }
    at += length;
  }
  return squares === 0 || denseSquares === 0 ? 0 : dot / Math.sqrt(squares * denseSquares);
}

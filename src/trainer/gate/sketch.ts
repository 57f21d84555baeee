/**
 * A delta's likeness in 512 numbers, by which thousands of deltas are compared without reading them again: a count sketch
 * (Charikar, Chen and Farach-Colton 2002, "Finding frequent items in data streams"). Of two deltas with cosine c the
 * sketches' cosine is c, give or take about (1 - c^2) / sqrt(512): at 0.98, 0.002.
 */
import { CHUNK_LENGTH } from "../../codec/index.ts";
import { SeededRandom } from "../../core/index.ts";

/** A power of two. */
const BUCKETS = 512;

/** Sums of coordinates under signs drawn once, of length 1 (or 0, of a delta at rest): (BUCKETS,). */
export type Sketch = Float64Array;

/** A coordinate's sign is that of its place in the chunk times that of its chunk. */
const SIGNS: Int8Array = drawnSigns("place", CHUNK_LENGTH);
const CHUNK_SIGNS: Int8Array = drawnSigns("chunk", CHUNK_LENGTH);

/** A sketch in the making. */
export class SketchSum {
  readonly #sums: Sketch = new Float64Array(BUCKETS);

  /** Takes a chunk by its number, (4096,), of which `length` elements are there. */
  add(chunk: Float64Array, length: number, number: number): void {
    const sums = this.#sums;
    // Every chunk puts its places into other buckets, and every 4096 chunks with other signs.
    const sign = CHUNK_SIGNS[number % CHUNK_LENGTH] as number;
    const shift = (number * 31 + Math.floor(number / CHUNK_LENGTH)) % BUCKETS;
    for (let i = 0; i < length; i++)
      sums[(i + shift) & (BUCKETS - 1)] += sign * (SIGNS[i] as number) * (chunk[i] as number);
  }

  end(): Sketch {
    const norm = Math.hypot(...this.#sums);
    return norm === 0 ? this.#sums : this.#sums.map((sum) => sum / norm);
  }
}

/** Cosine of what two sketches are of; 0 when either is at rest. */
export function likeness(a: Sketch, b: Sketch): number {
  let dot = 0;
  for (let i = 0; i < BUCKETS; i++) dot += (a[i] as number) * (b[i] as number);
  return dot;
}

function drawnSigns(name: string, count: number): Int8Array {
  const random = new SeededRandom(`starling/sketch/${name}`);
  return Int8Array.from({ length: count }, () => (random.below(2) === 0 ? -1 : 1));
}

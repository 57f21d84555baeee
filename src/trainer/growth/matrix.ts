/**
 * One matrix grown. Rows are copied, since each makes one output channel; columns are copied and split, since what they
 * weigh is now there several times over:
 *
 *   W'[o, jc] = W[source(o), i] / n + e_c - e_(c+1)      for the copies j1 .. jn of input i; e by lot, e_(n+1) = e_1
 *
 * so their sum is W[source(o), i] exactly. Without e the copies would get equal gradients and stay one for ever; the e of
 * the size of fresh weights makes each a feature of its own (HyperCloning, Samragh et al. 2024, section 3.2). Integers
 * below 2^53 throughout: the same bits on every machine.
 */
import { ONE, type SeededRandom } from "../../core/index.ts";

export interface GrownMatrix {
  readonly rows: Int32Array; // (out',) sources
  readonly columns: Int32Array; // (in',) sources
  readonly isSplit: boolean;
}

const LOT_HALF = 2 ** 15;

/** old: (out, in) -> target: (out', in'), row-major fixed point; inputs must all be among the sources. */
export function growMatrix(old: Int32Array, target: Int32Array, o: GrownMatrix, random: SeededRandom): void {
  const copies = copiesOf(o.columns);
  const parts = new Float64Array(o.columns.length);
  // e is uniform in +-1 / sqrt(in'), of all that was tried the best (docs/log.md, 2026-11-22). IEEE 754 roots are exact.
  const noise = Math.floor(ONE / Math.sqrt(o.columns.length));
  o.rows.forEach((source, row) => {
    copies.forEach((columns, i) => {
      const value = old[source * copies.length + i] as number;
      if (o.isSplit) split(value, parts.subarray(0, columns.length), () => drawn(noise, random));
      else parts.fill(value, 0, columns.length);
      columns.forEach((column, c) => (target[row * o.columns.length + column] = parts[c] as number));
    });
  });
}

/** The places of each source's copies; every source has one. */
function copiesOf(sources: Int32Array): number[][] {
  const copies: number[][] = [];
  sources.forEach((source, at) => (copies[source] ??= []).push(at));
  return copies;
}

/** parts: integers that sum to `value`; the last takes what rounding leaves. */
function split(value: number, parts: Float64Array, draw: () => number): void {
  const last = parts.length - 1;
  if (last === 0) return void (parts[0] = value);
  const even = Math.trunc(value / parts.length);
  const first = draw();
  let before = first;
  for (let c = 0; c < last; c++) {
    const next = draw();
    parts[c] = even + before - next;
    before = next;
  }
  parts[last] = value - last * even + before - first;
}

/** Uniform in [-noise, noise), an integer: noise below 2^25, so the product is below 2^41. */
function drawn(noise: number, random: SeededRandom): number {
  return Math.trunc((noise * ((random.u32() >>> 16) - LOT_HALF)) / LOT_HALF);
}

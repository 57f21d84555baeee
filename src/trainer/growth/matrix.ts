/**
 * One matrix grown. Rows are copied, since each makes one output channel; columns are copied and split, since what they
 * weigh is now there several times over:
 *
 *   W'[o, j1] + ... + W'[o, jk] = W[source(o), i]      for the copies j1 .. jk of input i, exactly, in fixed point
 *
 * The parts are uneven, by lot: equal ones would get equal gradients, and the copies would stay one for ever (Wang et al.
 * 2023, LEMON, section 4). Integers below 2^53 throughout: the same bits on every machine.
 */
import type { SeededRandom } from "../../core/index.ts";

export interface GrownMatrix {
  readonly rows: Int32Array; // (out',) sources
  readonly columns: Int32Array; // (in',) sources
  readonly isSplit: boolean;
}

/** Of a part's lot, what is the same for all: shares of two copies lie between 1/3 and 2/3. Measured: bench/RESULTS.md. */
const LOT_FLOOR = 2 ** 16;

/** old: (out, in) -> target: (out', in'), row-major fixed point; inputs must all be among the sources. */
export function growMatrix(old: Int32Array, target: Int32Array, o: GrownMatrix, random: SeededRandom): void {
  const copies = copiesOf(o.columns);
  const parts = new Float64Array(o.columns.length);
  o.rows.forEach((source, row) => {
    copies.forEach((columns, i) => {
      const value = old[source * copies.length + i] as number;
      if (o.isSplit) split(value, parts.subarray(0, columns.length), random);
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

/** parts: integers that sum to `value`, each a share drawn by lot; the last takes what rounding leaves. */
function split(value: number, parts: Float64Array, random: SeededRandom): void {
  const last = parts.length - 1;
  if (last === 0) return void (parts[0] = value);
  let total = 0;
  for (let c = 0; c <= last; c++) {
    const lot = LOT_FLOOR + (random.u32() >>> 16);
    parts[c] = lot;
    total += lot;
  }
  let left = value;
  for (let c = 0; c < last; c++) {
    // Below 2^31 * 2^17, and the quotient of such integers rounds to no other integer than its own floor.
    const part = Math.trunc((value * (parts[c] as number)) / total);
    parts[c] = part;
    left -= part;
  }
  parts[last] = left;
}

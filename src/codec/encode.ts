/** Residual to bytes: per chunk choose the elements, fit two magnitudes, quantise, and keep what was lost. */
import { assert } from "../core/index.ts";
import { createFitter } from "./fit.ts";
import { CHUNK_HEAD_BYTES, HEAD_BYTES, deltaBytesMax, writeChecksum, writeHead } from "./frame.ts";
import { chunkLengthMax, chunkLengths, parameterCount } from "./layout.ts";
import { fillLevels, fillBorders, fillValues, levelCount } from "./levels.ts";
import { MAGNITUDE_BITS, decodeMagnitude, encodeMagnitude } from "./magnitude.ts";
import { SquareSum } from "./norm.ts";
import { CODES_SLACK, packCodes } from "./pack.ts";
import { writeGaps } from "./rice.ts";
import { type Selector, createSelector } from "./select.ts";
import { type CodecSettings, assertSettings, keptOf } from "./settings.ts";

/**
 * Compresses residual (P,), int32 fixed point, and takes what the bytes decode to out of it, exactly:
 * residual_before = residual_after + decoded (error feedback; SparseLoCo, arXiv 2508.15706, algorithm 1).
 * `lengths`: element count of each tensor in order, P in all. `norm`: floor(sqrt(sum decoded^2)), fixed point.
 * The bytes are a function of the arguments alone, on every machine.
 */
export function encodeDelta(
  residual: Int32Array,
  lengths: readonly number[],
  settings: CodecSettings,
): { bytes: Uint8Array; norm: number } {
  assertSettings(settings);
  const count = parameterCount(lengths);
  assert(residual.length === count, `residual has ${residual.length} elements, the tensors have ${count}`);
  const out = new Uint8Array(deltaBytesMax(lengths, settings));
  writeHead(out, lengths, settings);
  const encoder = new ChunkEncoder(out, settings, chunkLengthMax(lengths));
  let base = 0;
  for (const length of chunkLengths(lengths)) {
    encoder.encode(residual.subarray(base, base + length));
    base += length;
  }
  const end = writeChecksum(out, encoder.at);
  return { bytes: out.slice(0, end), norm: encoder.squares.norm() };
}

class ChunkEncoder {
  at = HEAD_BYTES;
  readonly squares = new SquareSum();
  readonly #out: Uint8Array;
  readonly #settings: CodecSettings;
  readonly #n: number;
  readonly #selector: Selector;
  readonly #fitter = createFitter();
  readonly #magnitudes: Int32Array; // |residual|, (L,)
  readonly #kept: Int32Array; // magnitudes of the kept, (k,)
  readonly #indices: Uint16Array; // (k,)
  readonly #codes: Uint8Array; // (k,)
  readonly #levels = new Int32Array(128); // (n,)
  readonly #borders = new Int32Array(129); // (n + 1,)
  readonly #values = new Int32Array(256); // by code, (2n,)
  readonly #signs = new Int32Array(128); // sign bit of a negative value at each level: zero has none, (n,)
  readonly #counts = new Int32Array(256); // (2n,)

  constructor(out: Uint8Array, settings: CodecSettings, lengthMax: number) {
    this.#out = out;
    this.#settings = settings;
    this.#selector = createSelector(lengthMax);
    this.#magnitudes = new Int32Array(lengthMax);
    this.#kept = new Int32Array(lengthMax);
    this.#indices = new Uint16Array(lengthMax);
    this.#codes = new Uint8Array(lengthMax + CODES_SLACK);
    this.#n = levelCount(settings.valueBits);
  }

  /** Appends one chunk's bytes; chunk (L,) is left with what they do not say. */
  encode(chunk: Int32Array): void {
    const length = chunk.length;
    const { valueBits } = this.#settings;
    const kept = keptOf(length, this.#settings);
    const magnitudes = this.#choose(chunk, kept);
    const { lo, hi } = this.#fitter.fit(magnitudes, kept, this.#n);
    const [loCode, hiCode] = [encodeMagnitude(lo), encodeMagnitude(hi)];
    this.#writeHead(hiCode + loCode * 2 ** MAGNITUDE_BITS);
    if (hiCode === 0) return;
    this.#setLevels(decodeMagnitude(loCode), decodeMagnitude(hiCode));
    this.#quantise(chunk, magnitudes, kept);
    this.squares.addChunk(this.#counts, this.#levels, this.#n);
    this.at = packCodes(this.#out, this.at, this.#codes, { count: kept, valueBits });
    if (kept < length) this.at = writeGaps(this.#out, this.at, this.#indices, { kept, length });
  }

  /** Fills #indices with what is kept; returns the magnitudes of those, in the same order. */
  #choose(chunk: Int32Array, kept: number): Int32Array {
    const magnitudes = this.#magnitudes;
    const indices = this.#indices;
    for (let i = 0; i < chunk.length; i++) {
      const x = chunk[i];
      const sign = x >> 31;
      const wrapped = ((x ^ sign) - sign) | 0; // |x|, but -2^31 stays
      magnitudes[i] = wrapped - (wrapped >>> 31); // and becomes 2^31 - 1 here
    }
    if (kept === chunk.length) {
      for (let i = 0; i < kept; i++) indices[i] = i;
      return magnitudes;
    }
    this.#selector.select(magnitudes, chunk.length, kept, indices);
    for (let i = 0; i < kept; i++) this.#kept[i] = magnitudes[indices[i]];
    return this.#kept;
  }

  #setLevels(lo: number, hi: number): void {
    fillLevels(this.#levels, this.#n, lo, hi);
    fillBorders(this.#borders, this.#levels, this.#n);
    fillValues(this.#values, this.#levels, this.#n);
    for (let j = 0; j < this.#n; j++) this.#signs[j] = this.#levels[j] === 0 ? 0 : this.#n;
  }

  /** Codes, their counts, and chunk -= decoded. */
  #quantise(chunk: Int32Array, magnitudes: Int32Array, kept: number): void {
    const n = this.#n;
    const codes = this.#codes;
    const indices = this.#indices;
    const values = this.#values;
    const signs = this.#signs;
    const counts = this.#counts.fill(0);
    if (n === 2) nearerOfTwo(codes, magnitudes, kept, this.#borders[1]);
    else nearest(codes, magnitudes, kept, { n, levels: this.#levels, borders: this.#borders });
    for (let i = 0; i < kept; i++) {
      const at = indices[i];
      const x = chunk[at];
      const j = codes[i];
      const code = j | ((x >> 31) & signs[j]); // no branch: signs are random
      codes[i] = code;
      counts[code]++;
      chunk[at] = x - values[code];
    }
  }

  #writeHead(word: number): void {
    for (let i = 0; i < CHUNK_HEAD_BYTES; i++) this.#out[this.at++] = (word >> (8 * i)) & 255;
  }
}

/** js[0..count): which of two levels is nearer, without branches, which would be taken at random. */
function nearerOfTwo(js: Uint8Array, magnitudes: Int32Array, count: number, border: number): void {
  for (let i = 0; i < count; i++) js[i] = (border - magnitudes[i]) >>> 31;
}

/**
 * js[0..count): the nearest level of each magnitude. Where levels lie a unit or more apart a guess is off by one at
 * most, and is put right without branches, too; the loop only runs where they lie closer.
 */
function nearest(
  js: Uint8Array,
  magnitudes: Int32Array,
  count: number,
  { n, levels, borders }: { n: number; levels: Int32Array; borders: Int32Array },
): void {
  const lo = levels[0];
  const hi = levels[n - 1];
  const levelsPerUnit = hi - lo < n - 1 ? 0 : (n - 1) / (hi - lo);
  for (let i = 0; i < count; i++) {
    const m = magnitudes[i];
    let j = Math.min(n - 1, Math.max(0, (m - lo) * levelsPerUnit + 0.5)) | 0;
    j += (borders[j + 1] - m) >>> 31;
    j -= (m - borders[j] - 1) >>> 31;
    while (m > borders[j + 1]) j++;
    js[i] = j;
  }
}

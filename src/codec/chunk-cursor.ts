/**
 * Walks over the chunks of a frame. One decoder for both passes: the first checks bytes that nobody has checked yet,
 * the later ones read the same bytes again to add them up.
 */
import { type Refused, reject } from "../core/index.ts";
import { fillLevels, fillValues, isDeadCode, levelCount } from "./levels.ts";
import { CHUNK_HEAD_BYTES } from "./frame.ts";
import { MAGNITUDE_BITS, MAGNITUDE_CODE_MAX, decodeMagnitude } from "./magnitude.ts";
import type { SquareSum } from "./norm.ts";
import {
  CODES_SLACK,
  type PackedCodes,
  addCodes,
  countCodes,
  isPadded,
  packedBytes,
  unpackCodes,
} from "./pack.ts";
import { GAPS_OUT_OF_RANGE, GAPS_TRUNCATED, readGaps } from "./rice.ts";
import { CHUNK_LENGTH, type CodecSettings, keptOf } from "./settings.ts";

const EVERY_INDEX: Uint16Array = Uint16Array.from({ length: CHUNK_LENGTH }, (_, i) => i); // (4096,)

export class ChunkCursor {
  /** Of the chunk read last: how many elements were kept; 0 for a zero chunk. */
  kept = 0;
  /** Whether `indices` are 0..kept-1, then not filled in. */
  dense = false;
  readonly indices: Uint16Array; // (kept,), ascending
  readonly values: Int32Array = new Int32Array(256); // by code, fixed point, (2n,)

  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #settings: CodecSettings;
  readonly #n: number;
  readonly #levels = new Int32Array(128); // (n,)
  readonly #codes: Uint8Array; // of a sparse chunk, (kept,)
  readonly #counts = new Int32Array(256); // (2n,)
  readonly #byBytes = new Int32Array(256); // scratch
  readonly #products = new Float64Array(256); // factor * value, by code, (2n,)
  #codesAt = 0;
  #at: number;

  /** Reads bytes[at..end), of chunks of at most lengthMax elements. */
  constructor(
    bytes: Uint8Array,
    range: { at: number; end: number; lengthMax: number },
    settings: CodecSettings,
  ) {
    this.indices = new Uint16Array(range.lengthMax);
    this.#codes = new Uint8Array(range.lengthMax + CODES_SLACK);
    this.#bytes = bytes;
    this.#at = range.at;
    this.#end = range.end;
    this.#settings = settings;
    this.#n = levelCount(settings.valueBits);
  }

  get at(): number {
    return this.#at;
  }

  moveTo(at: number): void {
    this.#at = at;
  }

  /** Reads the next chunk, of `length` elements. Returns what is wrong with it; safe for any bytes. */
  read(length: number): Refused | undefined {
    this.kept = 0;
    if (this.#at + CHUNK_HEAD_BYTES > this.#end) return this.#truncated("two magnitudes");
    const word = this.#readHead();
    if (word === 0) return undefined;
    const hi = word & (2 ** MAGNITUDE_BITS - 1);
    const lo = word >> MAGNITUDE_BITS;
    if (hi > MAGNITUDE_CODE_MAX || lo > hi) {
      return reject(
        "DELTA_MAGNITUDE",
        `expected codes lo <= hi <= ${MAGNITUDE_CODE_MAX}, got ${lo} and ${hi}`,
      );
    }
    fillLevels(this.#levels, this.#n, decodeMagnitude(lo), decodeMagnitude(hi));
    fillValues(this.values, this.#levels, this.#n);
    const kept = keptOf(length, this.#settings);
    return this.#passCodes(kept) ?? this.#readIndices(kept, length);
  }

  /** Checks the codes of the chunk read last, and adds its squares to `squares`. */
  check(squares: SquareSum): Refused | undefined {
    if (this.kept === 0) return undefined;
    const counts = this.#counts.fill(0);
    if (this.dense) countCodes(counts, this.#byBytes, this.#packed(this.kept));
    else for (let i = 0; i < this.kept; i++) counts[this.#codes[i]]++;
    for (let code = 0; code < 2 * this.#n; code++) {
      if (counts[code] !== 0 && isDeadCode(code, this.#levels, this.#n)) {
        return reject(
          "DELTA_CODE",
          `expected the canonical code of each value, got ${code} before byte ${this.#at}`,
        );
      }
    }
    squares.addChunk(counts, this.#levels, this.#n);
    return undefined;
  }

  /** acc += factor * D for the chunk read last. */
  addTo(acc: Float64Array, factor: number): void {
    if (this.kept === 0) return;
    const products = this.#products;
    for (let code = 0; code < 2 * this.#n; code++) products[code] = factor * this.values[code];
    if (this.dense) return addCodes(acc, products, this.#packed(this.kept));
    const codes = this.#codes;
    const indices = this.indices;
    for (let i = 0; i < this.kept; i++) {
      const at = indices[i];
      acc[at] += products[codes[i]];
    }
  }

  /** Which elements of the chunk read last are not zero, ascending, and perhaps some that are. */
  get support(): Uint16Array {
    return this.dense ? EVERY_INDEX.subarray(0, this.kept) : this.indices.subarray(0, this.kept);
  }

  #packed(count: number): PackedCodes {
    return { bytes: this.#bytes, at: this.#codesAt, count, valueBits: this.#settings.valueBits };
  }

  #passCodes(count: number): Refused | undefined {
    const size = packedBytes(count, this.#settings.valueBits);
    if (this.#at + size > this.#end) return this.#truncated(`${size} bytes of codes`);
    this.#codesAt = this.#at;
    this.#at += size;
    return isPadded(this.#packed(count))
      ? undefined
      : reject("DELTA_PADDING", `expected zero bits after the codes, before byte ${this.#at}`);
  }

  #readIndices(kept: number, length: number): Refused | undefined {
    this.dense = kept === length;
    this.kept = kept;
    if (this.dense) return undefined;
    const next = readGaps(this.#bytes, this.#at, this.#end, this.indices, { kept, length });
    if (next === GAPS_TRUNCATED) return this.#truncated(`${kept} indices`);
    if (next === GAPS_OUT_OF_RANGE) {
      return reject(
        "DELTA_INDEX",
        `expected ${kept} indices below ${length} at byte ${this.#at}, got a greater one`,
      );
    }
    if (next < 0) return reject("DELTA_PADDING", `expected zero bits after the indices at byte ${this.#at}`);
    this.#at = next;
    unpackCodes(this.#codes, this.#packed(kept));
    return undefined;
  }

  #truncated(expected: string): Refused {
    return reject("DELTA_TRUNCATED", `expected ${expected} at byte ${this.#at}, got the end at ${this.#end}`);
  }

  #readHead(): number {
    let word = 0;
    for (let i = 0; i < CHUNK_HEAD_BYTES; i++) word |= this.#bytes[this.#at++] << (8 * i);
    return word;
  }
}

/** Bytes of a stranger to a delta that can be added up: everything is checked before anything is used. */
import { type Verdict, accept, assert, reject } from "../core/index.ts";
import { ChunkCursor } from "./chunk-cursor.ts";
import { CHECKSUM_BYTES, HEAD_BYTES, checkFrame } from "./frame.ts";
import { chunkLengthMax, chunkLengths, parameterCount } from "./layout.ts";
import { SquareSum } from "./norm.ts";
import type { CodecSettings } from "./settings.ts";

/** A verified delta, chunk by chunk. It reads the bytes that it was opened on: they must not change meanwhile. */
export interface DeltaReader {
  /** floor(sqrt(sum D_i^2)) of the decoded D, fixed point. */
  readonly norm: number;
  /**
   * acc[0..L) += factor * D for the next chunk, of L elements; acc has room for them (4096 always do). Returns L, or
   * 0 after the last chunk. `factor` is an integer with |factor * D| < 2^52, so every product is exact.
   */
  addNextChunk(acc: Float64Array, factor: number): number;
  /** Which elements that added to: ascending indices within the chunk, valid until the next one is read. */
  readonly support: Uint16Array;
  /** The same, unread: its length, or 0 after the last chunk. */
  skipNextChunk(): number;
  /** Back to the first chunk. */
  rewind(): void;
}

/**
 * Checks a delta completely: size, head, checksum, every chunk, and that it is canonical. For any bytes whatever
 * this returns a verdict and allocates a fixed amount, plus 2 bytes per chunk of our own layout.
 */
export function openDelta(
  bytes: Uint8Array,
  lengths: readonly number[],
  settings: CodecSettings,
): Verdict<DeltaReader> {
  const refused = checkFrame(bytes, lengths, settings);
  if (refused) return refused;
  const end = bytes.length - CHECKSUM_BYTES;
  const cursor = new ChunkCursor(
    bytes,
    { at: HEAD_BYTES, end, lengthMax: chunkLengthMax(lengths) },
    settings,
  );
  const chunks = chunkLengths(lengths);
  const squares = new SquareSum();
  for (const length of chunks) {
    const fault = cursor.read(length) ?? cursor.check(squares);
    if (fault) return fault;
  }
  if (cursor.at !== end) {
    return reject("DELTA_SIZE", `expected the last chunk to end at byte ${end}, it ends at ${cursor.at}`);
  }
  return accept(new VerifiedDelta(cursor, chunks, squares.norm()));
}

/** The whole delta as int32 fixed point, (P,). */
export function decodeDelta(
  bytes: Uint8Array,
  lengths: readonly number[],
  settings: CodecSettings,
): Verdict<Int32Array> {
  const opened = openDelta(bytes, lengths, settings);
  if (opened.kind !== "accept") return opened;
  const delta = new Int32Array(parameterCount(lengths)); // (P,)
  const acc = new Float64Array(chunkLengthMax(lengths));
  for (let at = 0; at < delta.length;) {
    const length = opened.value.addNextChunk(acc.fill(0), 1);
    delta.set(acc.subarray(0, length), at);
    at += length;
  }
  return accept(delta);
}

class VerifiedDelta implements DeltaReader {
  readonly norm: number;
  readonly #cursor: ChunkCursor;
  readonly #chunks: Uint16Array;
  #next = 0;

  constructor(cursor: ChunkCursor, chunks: Uint16Array, norm: number) {
    this.norm = norm;
    this.#cursor = cursor;
    this.#chunks = chunks;
    this.rewind();
  }

  addNextChunk(acc: Float64Array, factor: number): number {
    const length = this.skipNextChunk();
    assert(acc.length >= length, `the accumulator has ${acc.length} elements, the chunk has ${length}`);
    if (length > 0) this.#cursor.addTo(acc, factor);
    return length;
  }

  skipNextChunk(): number {
    if (this.#next === this.#chunks.length) return 0;
    const length = this.#chunks[this.#next++];
    const fault = this.#cursor.read(length);
    assert(fault === undefined, `the bytes of a delta changed after they were checked: ${fault?.detail}`);
    return length;
  }

  get support(): Uint16Array {
    return this.#cursor.support;
  }

  rewind(): void {
    this.#next = 0;
    this.#cursor.moveTo(HEAD_BYTES);
  }
}

/**
 * One text that grows token by token, with the keys and values of all its tokens kept. Not part of `Engine`, which
 * trains: several texts may grow at once, each from a copy of the weights that never changes under it.
 */
import { assert } from "../../core/index.ts";
import { headSize, type ModelConfig } from "../model/config.ts";
import { CACHE, incrementalProgram, NEW_ROWS } from "../model/incremental.ts";
import { MASKED } from "../model/llama.ts";
import type { OnnxEngineName } from "./backends.ts";
import {
  countValue,
  floatsOf,
  floatValue,
  intValue,
  openSession,
  parameterValues,
  type Session,
  type Values,
} from "./session.ts";

/** Tokens of a prompt that go through at once. Guess: enough to make products of matrices of products with rows. */
const CHUNK_TOKENS = 32;

export interface DecoderOptions {
  readonly model: ModelConfig;
  /** (P,); must not change while the decoder is open. */
  readonly weights: Float32Array;
  readonly threads: number;
  /** Default: the CPU. */
  readonly engine?: OnnxEngineName;
}

/** A model's programs, compiled. Texts share them, whatever weights each has. */
export class DecoderPrograms {
  readonly model: ModelConfig;
  readonly single: Session;
  readonly chunk: Session;
  readonly chunkTokens: number;

  /** @throws StarlingError `ENGINE_UNAVAILABLE` */
  static async open(o: Omit<DecoderOptions, "weights">): Promise<DecoderPrograms> {
    const { model } = o;
    const session = { engine: o.engine ?? "cpu", threads: o.threads } as const;
    const chunkTokens = Math.min(CHUNK_TOKENS, model.contextLength);
    const single = await openSession(incrementalProgram(model, 1), session);
    const chunk = await openSession(incrementalProgram(model, chunkTokens), session);
    return new DecoderPrograms({ model, single, chunk, chunkTokens });
  }

  private constructor(o: { model: ModelConfig; single: Session; chunk: Session; chunkTokens: number }) {
    this.model = o.model;
    this.single = o.single;
    this.chunk = o.chunk;
    this.chunkTokens = o.chunkTokens;
  }

  /** When no text uses them any more. */
  async close(): Promise<void> {
    await this.single.release();
    await this.chunk.release();
  }
}

export class Decoder {
  readonly model: ModelConfig;
  readonly #parameters: Values;
  readonly #cache: Float32Array[]; // keys and values of each layer in turn, (K, T, headSize)
  readonly #mask: Float32Array; // (T,)
  readonly #programs: DecoderPrograms;
  #length = 0;

  /** With programs of its own, which `close` closes. @throws StarlingError `ENGINE_UNAVAILABLE` */
  static async open({ weights, ...o }: DecoderOptions): Promise<Decoder> {
    return new Decoder(await DecoderPrograms.open(o), weights);
  }

  /** `weights`: (P,); must not change while a text is written. */
  constructor(programs: DecoderPrograms, weights: Float32Array) {
    const { model } = programs;
    const { contextLength, kvHeadsCount, layersCount } = model;
    this.model = model;
    this.#parameters = parameterValues(model, weights);
    this.#programs = programs;
    const size = kvHeadsCount * contextLength * headSize(model);
    this.#cache = Array.from({ length: 2 * layersCount }, () => new Float32Array(size));
    this.#mask = new Float32Array(contextLength).fill(MASKED);
  }

  /** Tokens so far; at most T. */
  get length(): number {
    return this.#length;
  }

  /** Forgets the text. */
  reset(): void {
    this.#length = 0;
    this.#mask.fill(MASKED);
  }

  /** The text goes on with 1 to T - length tokens: logits (V,) of what follows. */
  async append(tokens: ArrayLike<number>): Promise<Float32Array> {
    const room = this.model.contextLength - this.#length;
    assert(tokens.length >= 1 && tokens.length <= room, `expected 1 to ${room} tokens, got ${tokens.length}`);
    const all = Int32Array.from(tokens);
    let logits: Float32Array = new Float32Array(0);
    const { chunkTokens } = this.#programs;
    for (let at = 0; at < all.length; at += chunkTokens) {
      logits = await this.#run(all.subarray(at, at + chunkTokens));
    }
    return logits;
  }

  async #run(tokens: Int32Array): Promise<Float32Array> {
    const isSingle = tokens.length === 1;
    const { single, chunk, chunkTokens } = this.#programs;
    const count = isSingle ? 1 : chunkTokens;
    const padded = new Int32Array(count);
    padded.set(tokens);
    const outputs = (await (isSingle ? single : chunk).run({
      ...this.#parameters,
      ...this.#cacheValues(),
      tokens: intValue(padded, [count]),
      last: intValue(Int32Array.of(tokens.length - 1), [1]),
      position: countValue(this.#length, [1]),
      mask: floatValue(this.#mask, [1, this.#mask.length]),
    })) as Values;
    await this.#keep(outputs, { count, real: tokens.length });
    this.#mask.fill(0, this.#length, this.#length + tokens.length);
    this.#length += tokens.length;
    return floatsOf(outputs, "logits");
  }

  #cacheValues(): Values {
    const { contextLength, kvHeadsCount, layersCount } = this.model;
    const shape = [1, kvHeadsCount, contextLength, headSize(this.model)];
    const values: Values = {};
    for (let i = 0; i < layersCount; i++) {
      values[`${CACHE.keys}${i}`] = floatValue(this.#cache[2 * i] as Float32Array, shape);
      values[`${CACHE.values}${i}`] = floatValue(this.#cache[2 * i + 1] as Float32Array, shape);
    }
    return values;
  }

  /** Rows [0, real) of the new keys and values (1, K, count, headSize) go behind what the cache holds. */
  async #keep(outputs: Values, { count, real }: { count: number; real: number }): Promise<void> {
    const { contextLength: T, kvHeadsCount: K, layersCount } = this.model;
    const size = headSize(this.model);
    for (let at = 0; at < 2 * layersCount; at++) {
      const name = (at % 2 === 0 ? NEW_ROWS.keys : NEW_ROWS.values) + Math.floor(at / 2);
      const rows = floatsOf(outputs, name);
      const cache = this.#cache[at] as Float32Array;
      for (let head = 0; head < K; head++) {
        const from = head * count * size;
        cache.set(rows.subarray(from, from + real * size), (head * T + this.#length) * size);
      }
    }
  }

  /** Closes its programs: for one that shares them with nobody. */
  close(): Promise<void> {
    return this.#programs.close();
  }
}

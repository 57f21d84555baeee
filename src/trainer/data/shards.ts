/**
 * Shards: tokens in blocks of at most 1 MiB, one after another, each token in as few bytes as the vocabulary needs.
 * With the byte tokenizer a shard is plain text.
 */
import { BLOCK_BYTES, type Cid, RAW, type Verdict, accept, cidOf, reject } from "../../core/index.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Side, SidedPiece } from "./held-out.ts";

/** Tokens of a shard, as they lie in it. */
export type Tokens = Uint8Array | Uint16Array | Uint32Array;

export interface ShardName {
  readonly cid: Cid;
  /** How many are in it. */
  readonly tokens: number;
}

/** Where training and measuring get their tokens from; holds names, and asks somebody for the shards themselves. */
export interface ShardSource {
  readonly train: readonly ShardName[];
  readonly heldOut: readonly ShardName[];
  /** The tokens of one of them. Rejects when nobody has it, or when it is not what its name says. */
  read(shard: ShardName): Promise<Tokens>;
}

/** Bytes of a token: 1, 2 or 4. */
export function tokenBytes(vocabulary: number): 1 | 2 | 4 {
  if (vocabulary <= 2 ** 8) return 1;
  return vocabulary <= 2 ** 16 ? 2 : 4;
}

/** The most tokens that a shard holds. */
export function shardTokensMax(vocabulary: number): number {
  return BLOCK_BYTES / tokenBytes(vocabulary);
}

/** `SHARD_SIZE` when it has not as many tokens as its name says, `SHARD_TOKEN` when one is beyond the vocabulary. */
export function decodeShard(bytes: Uint8Array, o: { tokens: number; vocabulary: number }): Verdict<Tokens> {
  const width = tokenBytes(o.vocabulary);
  if (bytes.length !== o.tokens * width)
    return reject("SHARD_SIZE", `expected ${o.tokens} tokens of ${width} bytes, got ${bytes.length} bytes`);
  const tokens = typed(bytes, width);
  const stranger = tokens.findIndex((token) => token >= o.vocabulary);
  if (stranger === -1) return accept(tokens);
  return reject(
    "SHARD_TOKEN",
    `expected tokens below ${o.vocabulary}, got ${tokens[stranger]} at ${stranger}`,
  );
}

/** Little-endian, as on every machine that we run on. */
function typed(bytes: Uint8Array, width: 1 | 2 | 4): Tokens {
  if (width === 1) return bytes;
  const { buffer } = bytes.byteOffset % width === 0 ? bytes : Uint8Array.from(bytes);
  const at = bytes.byteOffset % width === 0 ? bytes.byteOffset : 0;
  return width === 2
    ? new Uint16Array(buffer, at, bytes.length / 2)
    : new Uint32Array(buffer, at, bytes.length / 4);
}

export interface Shard extends ShardName {
  readonly side: Side;
  readonly bytes: Uint8Array;
}

/** Pieces -> full shards of either side, as they fill; the last of each side may be shorter. */
export async function* shardsOf(
  pieces: AsyncIterable<SidedPiece>,
  tokenizer: Tokenizer,
): AsyncGenerator<Shard> {
  const open = { train: new OpenShard(tokenizer, "train"), heldOut: new OpenShard(tokenizer, "heldOut") };
  for await (const { side, bytes, endsDocument } of pieces) {
    yield* open[side].add(tokenizer.encodeBytes(bytes));
    if (endsDocument && tokenizer.endToken !== null) yield* open[side].add([tokenizer.endToken]);
  }
  for (const shard of Object.values(open)) yield* shard.close();
}

class OpenShard {
  readonly #side: Side;
  readonly #vocabulary: number;
  #tokens: Tokens;
  #count = 0;

  constructor({ vocabulary }: Tokenizer, side: Side) {
    this.#side = side;
    this.#vocabulary = vocabulary;
    this.#tokens = this.#empty();
  }

  *add(tokens: ArrayLike<number>): Generator<Shard> {
    const list = ArrayBuffer.isView(tokens) ? (tokens as Tokens) : Uint32Array.from(tokens);
    for (let from = 0; from < list.length;) {
      const part = list.subarray(from, from + this.#tokens.length - this.#count);
      this.#tokens.set(part, this.#count);
      this.#count += part.length;
      from += part.length;
      if (this.#count === this.#tokens.length) yield* this.close();
    }
  }

  *close(): Generator<Shard> {
    if (this.#count === 0) return;
    const { buffer, byteOffset, BYTES_PER_ELEMENT } = this.#tokens;
    const bytes = new Uint8Array(buffer, byteOffset, this.#count * BYTES_PER_ELEMENT);
    yield { side: this.#side, cid: cidOf(bytes, RAW), tokens: this.#count, bytes };
    // The bytes belong to whoever took them.
    this.#tokens = this.#empty();
    this.#count = 0;
  }

  #empty(): Tokens {
    return typed(new Uint8Array(BLOCK_BYTES), tokenBytes(this.#vocabulary));
  }
}

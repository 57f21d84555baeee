/**
 * Byte-pair encoding from a corpus (Sennrich et al. 2016; on bytes as in Radford et al. 2019): again and again the pair of
 * neighbours that occurs most often becomes a token. Words are counted first, so that the corpus is read once and merges
 * cost as much as there are different words.
 */
import { assert } from "../../core/index.ts";
import { BYTE_CHARACTERS, byteLevelFile } from "./byte-level.ts";
import { BYTE_VOCABULARY } from "./bytes.ts";

/** How text is cut into words before it is merged: GPT-2's (Radford et al. 2019, `encoder.py`). */
const WORD = String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
/** What ends a document: the last token. */
const END = "<|endoftext|>";
/** Different words that are counted at once. Guess: about 1 GB; the rarest half gives way to more. */
const WORDS_MAX = 4_000_000;

const VOCABULARY_MIN: number = BYTE_VOCABULARY + 1;

export class WordCounts {
  readonly #counts = new Map<string, number>();
  readonly #pattern = new RegExp(WORD, "gu");
  readonly #wordsMax: number;

  /** `wordsMax`: different words that are kept; 2 or more. */
  constructor(wordsMax: number = WORDS_MAX) {
    this.#wordsMax = wordsMax;
  }

  add(text: string): void {
    for (const [word] of text.matchAll(this.#pattern)) {
      this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1);
    }
    if (this.#counts.size > this.#wordsMax) this.#dropRare();
  }

  #dropRare(): void {
    const counts = [...this.#counts.values()].sort((a, b) => a - b);
    const median = counts[counts.length >> 1] as number;
    for (const [word, count] of this.#counts) if (count <= median) this.#counts.delete(word);
  }

  entries(): IterableIterator<[word: string, count: number]> {
    return this.#counts.entries();
  }
}

/**
 * A `tokenizer.json` with at most `vocabulary` tokens: 256 bytes, merges, and one that ends documents. Fewer when every
 * word is one token already. The same counts always give the same file: of equally frequent pairs the older tokens win.
 */
export function trainTokenizer(
  words: WordCounts,
  o: { vocabulary: number; onMerge?: ((done: number, of: number) => void) | undefined },
): Uint8Array {
  assert(o.vocabulary >= VOCABULARY_MIN, `expected a vocabulary of at least ${VOCABULARY_MIN}`);
  const mergesMax = o.vocabulary - VOCABULARY_MIN;
  const tokens = [...BYTE_CHARACTERS];
  const merges: [string, string][] = [];
  const merging = new Merging(words);
  for (let pair = merging.best(); pair !== undefined && merges.length < mergesMax; pair = merging.best()) {
    const [left, right] = [tokens[pair.left] as string, tokens[pair.right] as string];
    merging.merge(pair, tokens.length);
    tokens.push(left + right);
    merges.push([left, right]);
    o.onMerge?.(merges.length, mergesMax);
  }
  const vocab = Object.fromEntries([...tokens, END].map((token, id) => [token, id]));
  return byteLevelFile({ vocab, merges, pattern: WORD, special: [{ id: tokens.length, content: END }] });
}

interface Pair {
  readonly left: number;
  readonly right: number;
}

/** Tokens are below 2^21, so a pair is one exact number. */
const PAIR_BASE = 2 ** 21;

/** All words as lists of tokens, and how often each pair of neighbours occurs in them. */
class Merging {
  readonly #words: { tokens: number[]; count: number }[] = [];
  readonly #counts = new Map<number, number>();
  /** The words in which a pair occurs, or did once. */
  readonly #places = new Map<number, Set<number>>();
  readonly #heap = new PairHeap();

  constructor(words: WordCounts) {
    for (const [word, count] of words.entries()) {
      const tokens = Array.from(new TextEncoder().encode(word));
      if (tokens.length < 2) continue;
      this.#words.push({ tokens, count });
      this.#count(this.#words.length - 1, 1);
    }
    for (const [pair, count] of this.#counts) this.#heap.push({ pair, count });
  }

  /** The most frequent pair; undefined when no word has two tokens. */
  best(): Pair | undefined {
    for (let top = this.#heap.pop(); top !== undefined; top = this.#heap.pop()) {
      // An entry whose count has changed since was followed by another.
      if (top.count > 0 && this.#counts.get(top.pair) === top.count) {
        return { left: Math.floor(top.pair / PAIR_BASE), right: top.pair % PAIR_BASE };
      }
    }
    return undefined;
  }

  /** `token` takes the place of the pair everywhere. */
  merge({ left, right }: Pair, token: number): void {
    const pair = left * PAIR_BASE + right;
    const changed = new Set<number>();
    for (const index of this.#places.get(pair) ?? []) {
      this.#count(index, -1, changed);
      const word = this.#words[index] as { tokens: number[] };
      word.tokens = replaced(word.tokens, { left, right }, token);
      this.#count(index, 1, changed);
    }
    this.#places.delete(pair);
    for (const each of changed) {
      const count = this.#counts.get(each) ?? 0;
      if (count > 0) this.#heap.push({ pair: each, count });
    }
  }

  /** Adds a word's pairs, times its count and `sign`. */
  #count(index: number, sign: 1 | -1, changed?: Set<number>): void {
    const { tokens, count } = this.#words[index] as { tokens: number[]; count: number };
    for (let i = 1; i < tokens.length; i++) {
      const pair = (tokens[i - 1] as number) * PAIR_BASE + (tokens[i] as number);
      this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + sign * count);
      changed?.add(pair);
      if (sign === -1) continue;
      const places = this.#places.get(pair);
      if (places === undefined) this.#places.set(pair, new Set([index]));
      else places.add(index);
    }
  }
}

function replaced(tokens: readonly number[], { left, right }: Pair, token: number): number[] {
  const merged: number[] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i] === left && tokens[i + 1] === right) {
      merged.push(token);
      i++;
    } else merged.push(tokens[i] as number);
  }
  return merged;
}

interface Counted {
  readonly pair: number;
  readonly count: number;
}

/** A binary heap: most frequent first, then the lower pair. */
class PairHeap {
  readonly #items: Counted[] = [];

  push(item: Counted): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(item, items[parent] as Counted)) break;
      items[at] = items[parent] as Counted;
      at = parent;
    }
    items[at] = item;
  }

  pop(): Counted | undefined {
    const items = this.#items;
    const [top] = items;
    const last = items.pop();
    if (items.length === 0 || last === undefined) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && isBefore(items[child + 1] as Counted, items[child] as Counted)) child++;
      if (!isBefore(items[child] as Counted, last)) break;
      items[at] = items[child] as Counted;
      at = child;
    }
    items[at] = last;
    return top;
  }
}

function isBefore(a: Counted, b: Counted): boolean {
  return a.count !== b.count ? a.count > b.count : a.pair < b.pair;
}

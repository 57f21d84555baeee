/** Tokens -> text as far as it is certain: a token may end in the middle of a character. */
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

/** A character has at most 4 bytes: more tokens than that without one, and these bytes are no text. */
const PENDING_MAX = 4;

export class TextStream {
  readonly #tokenizer: Tokenizer;
  /** What was said last: some tokenizers write a token otherwise at the beginning of a text. */
  #said: number[] = [];
  #pending: number[] = [];

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** The text that is certain now. */
  push(token: number): string {
    this.#pending.push(token);
    const text = this.#text();
    return text.endsWith("\uFFFD") && this.#pending.length < PENDING_MAX ? "" : this.#say(text);
  }

  /** What is left, certain or not. */
  end(): string {
    return this.#pending.length === 0 ? "" : this.#say(this.#text());
  }

  #text(): string {
    const before = this.#tokenizer.decode(this.#said);
    return this.#tokenizer.decode([...this.#said, ...this.#pending]).slice(before.length);
  }

  #say(text: string): string {
    this.#said = this.#pending;
    this.#pending = [];
    return text;
  }
}

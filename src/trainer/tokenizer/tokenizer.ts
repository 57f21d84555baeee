/** Text <-> tokens. A run's manifest names its tokenizer: the word `bytes`, or the CID of a `tokenizer.json`. */

export interface Tokenizer {
  /** Every token is below it. */
  readonly vocabulary: number;
  /** What ends a document in the data, and a text when the model writes one. */
  readonly endToken: number | null;
  encode(text: string): ArrayLike<number>;
  /** The same of UTF-8. */
  encodeBytes(utf8: Uint8Array): ArrayLike<number>;
  /** Bytes that are not valid UTF-8 become U+FFFD. */
  decode(tokens: readonly number[]): string;
}

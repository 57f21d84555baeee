/** The byte tokenizer: a token is a byte of UTF-8, so every text has tokens and the vocabulary is 256. */

export const BYTE_VOCABULARY = 256;

export function encodeText(text: string): Int32Array {
  return Int32Array.from(new TextEncoder().encode(text));
}

/** Bytes that are not valid UTF-8 become U+FFFD. */
export function decodeTokens(tokens: readonly number[]): string {
  return new TextDecoder().decode(Uint8Array.from(tokens));
}

/** The byte tokenizer: a token is a byte of UTF-8, so every text has tokens, and no file is needed to know them. */
import type { Tokenizer } from "./tokenizer.ts";

export const BYTE_VOCABULARY = 256;
/** No text has a zero byte in it, so it is free to end documents. */
const END_TOKEN = 0;

export const byteTokenizer: Tokenizer = {
  vocabulary: BYTE_VOCABULARY,
  endToken: END_TOKEN,
  encode: (text) => new TextEncoder().encode(text),
  encodeBytes: (utf8) => utf8,
  decode: (tokens) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(tokens)),
};

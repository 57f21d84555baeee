/**
 * The parts of a `tokenizer.json` that works on bytes (Radford et al. 2019, "Language models are unsupervised multitask
 * learners", 2.2): each byte is written as a character that can be seen, so that no byte is ever unknown.
 */
import { BYTE_VOCABULARY } from "./bytes.ts";

/** GPT-2's 256 characters: a byte that can be seen is itself, the others are those from U+0100 on. */
export const BYTE_CHARACTERS: readonly string[] = byteCharacters();

function byteCharacters(): string[] {
  const isSeen = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: BYTE_VOCABULARY }, (_, byte) =>
    String.fromCodePoint(isSeen(byte) ? byte : next++),
  );
}

export interface ByteLevelFile {
  /** Token to id; the 256 characters are among them. */
  readonly vocab: Readonly<Record<string, number>>;
  /** Pairs in the order in which they were learned. */
  readonly merges: readonly (readonly [string, string])[];
  /** How text is cut before it is merged, as a regular expression; null: not at all. */
  readonly pattern: string | null;
  /** Tokens that stand for no text. */
  readonly special: readonly { readonly id: number; readonly content: string }[];
}

/** A `tokenizer.json` of Hugging Face's format 1.0. */
export function byteLevelFile({ vocab, merges, pattern, special }: ByteLevelFile): Uint8Array {
  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  const split = { type: "Split", pattern: { Regex: pattern ?? "" }, behavior: "Isolated", invert: false };
  const file = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map(({ id, content }) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: pattern === null ? bytes : { type: "Sequence", pretokenizers: [split, bytes] },
    post_processor: null,
    decoder: bytes,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  };
  return new TextEncoder().encode(`${JSON.stringify(file)}\n`);
}

/** The byte tokenizer for other tools: a vocabulary of bytes in their order, and no merges. */
export function byteTokenizerFile(): Uint8Array {
  const vocab = Object.fromEntries(BYTE_CHARACTERS.map((character, byte) => [character, byte]));
  return byteLevelFile({ vocab, merges: [], pattern: null, special: [] });
}

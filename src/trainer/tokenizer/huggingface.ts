/** Any Hugging Face `tokenizer.json`, through the library of its makers. */
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { z } from "zod";
import { StarlingError, messageOf } from "../../core/index.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** The largest that is published has 34 MB (Gemma 3: 262,144 tokens). */
export const TOKENIZER_BYTES_MAX: number = 64 * 1024 * 1024;

/** What ends a document, by the names that published models give it; the first that the file has. */
const END_TOKENS = ["<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "<|eot_id|>", "<|im_end|>"];

const fileSchema = z.looseObject({ model: z.looseObject({ vocab: z.unknown() }) });

/** @throws StarlingError `TOKENIZER_INVALID` */
export function openTokenizer(file: Uint8Array): Tokenizer {
  const library = load(file);
  const ids = library.get_vocab(true);
  const end = END_TOKENS.find((name) => ids.has(name));
  const encode = (text: string): number[] => library.encode(text, { add_special_tokens: false }).ids;
  return {
    vocabulary: 1 + [...ids.values()].reduce((most, id) => Math.max(most, id), 0),
    endToken: end === undefined ? null : (ids.get(end) as number),
    encode,
    encodeBytes: (utf8) => encode(new TextDecoder("utf-8", { ignoreBOM: true }).decode(utf8)),
    // The library refuses to decode nothing.
    decode: (tokens) =>
      tokens.length === 0
        ? ""
        : library.decode([...tokens], { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
  };
}

function load(file: Uint8Array): Library {
  try {
    const json: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file));
    return new Library(fileSchema.parse(json), {});
  } catch (error) {
    // Translated: no UTF-8, no JSON, or a kind of tokenizer that the library does not know.
    throw new StarlingError(
      "TOKENIZER_INVALID",
      `expected a tokenizer.json that @huggingface/tokenizers can read, got: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** The `tokenizer_config.json` beside a `tokenizer.json`. @throws StarlingError `TOKENIZER_INVALID` */
export function tokenizerConfig(
  file: Uint8Array,
  { endToken, modelMaxLength }: { endToken: number | null; modelMaxLength: number },
): Uint8Array {
  const end = endToken === null ? null : (load(file).id_to_token(endToken) ?? null);
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    model_max_length: modelMaxLength,
    eos_token: end,
    pad_token: end,
    clean_up_tokenization_spaces: false,
  };
  return new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`);
}

/**
 * How a conversation becomes one prompt: the Jinja template that a model was tuned with, through the library of the
 * makers of the format. It comes with the model, in `chat_template.jinja` or in `tokenizer_config.json`.
 */
import { Template } from "@huggingface/jinja";
import { z } from "zod";
import { StarlingError, type Verdict, accept, messageOf, reject } from "../../core/index.ts";

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

export interface ChatTemplate {
  /** The prompt that ends where the answer begins; a refusal when the template does not take such messages. */
  render(messages: readonly ChatMessage[]): Verdict<string>;
}

/** Names of special tokens that templates use, as `tokenizer_config.json` gives them. */
export type SpecialTokens = Readonly<Record<string, string>>;

export interface ChatSettings {
  /** Null: the model was not made for conversations. */
  readonly template: string | null;
  readonly tokens: SpecialTokens;
}

const TOKEN_NAMES = ["bos_token", "eos_token", "unk_token", "pad_token"] as const;
const tokenSchema = z.union([z.string(), z.object({ content: z.string() }).transform((o) => o.content)]);
const configSchema = z.looseObject({
  chat_template: z
    .union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))])
    .nullish(),
  ...Object.fromEntries(TOKEN_NAMES.map((name) => [name, tokenSchema.nullish()])),
});

/** @throws StarlingError `TOKENIZER_INVALID` when it is no `tokenizer_config.json`. */
export function readChatSettings(tokenizerConfig: Uint8Array): ChatSettings {
  let config: z.infer<typeof configSchema>;
  try {
    config = configSchema.parse(
      JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(tokenizerConfig)),
    );
  } catch (error) {
    // Translated: no UTF-8, no JSON, or other fields than the format has.
    throw new StarlingError(
      "TOKENIZER_INVALID",
      `expected a tokenizer_config.json, got: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
  const given = config.chat_template ?? null;
  const template = Array.isArray(given)
    ? (given.find(({ name }) => name === "default")?.template ?? null)
    : given;
  const named = TOKEN_NAMES.flatMap((name): [string, string][] =>
    typeof config[name] === "string" ? [[name, config[name]]] : [],
  );
  return { template, tokens: Object.fromEntries(named) };
}

/** @throws StarlingError `CHAT_TEMPLATE_INVALID` */
export function openChatTemplate(text: string, tokens: SpecialTokens): ChatTemplate {
  let template: Template;
  try {
    template = new Template(text);
  } catch (error) {
    // Translated: the library says where it is wrong.
    throw new StarlingError(
      "CHAT_TEMPLATE_INVALID",
      `expected a chat template in Jinja, as models on Hugging Face have, got: ${messageOf(error)}`,
      { cause: error },
    );
  }
  return {
    render(messages) {
      try {
        return accept(template.render({ messages, add_generation_prompt: true, tools: null, ...tokens }));
      } catch (error) {
        // Decides: templates refuse what they do not take (a role, an order) by throwing.
        return reject(
          "CHAT_REFUSED",
          `the model's chat template does not take these messages: ${messageOf(error)}`,
        );
      }
    },
  };
}

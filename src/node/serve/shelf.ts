/**
 * The models that texts are written with: the newest, and the one before while a text of it is under way. A newer one
 * is taken up only when no more than one set of old weights would be left, so memory holds two at most.
 */
import type { Verdict } from "../../core/index.ts";
import { accept, reject } from "../../core/index.ts";
import {
  type ChatTemplate,
  Decoder,
  DecoderPrograms,
  LINE_BREAK,
  type ModelConfig,
  type Tokenizer,
  openChatTemplate,
} from "../../trainer/index.ts";
import type { Prompt } from "../../serving/index.ts";
import { tokenizerOf } from "../data/run-data.ts";
import type { ModelSource, SourcedModel } from "./model-source.ts";
import type { ModelFacts, WriterOptions } from "./protocol.ts";

export class Shelf {
  readonly #options: WriterOptions;
  readonly #source: ModelSource;
  /** By model: weights are given to them with each run, so a new checkpoint needs no new ones. */
  readonly #programs = new Map<string, DecoderPrograms>();
  #seen: string | undefined;
  #newest: ModelInUse | undefined;
  #older: ModelInUse | undefined;

  constructor(options: WriterOptions, source: ModelSource) {
    this.#options = options;
    this.#source = source;
  }

  get newest(): ModelInUse | undefined {
    return this.#newest;
  }

  /** The model that was taken up just now, or null. @throws what the source throws, `CHAT_TEMPLATE_INVALID` */
  async refresh(): Promise<ModelFacts | null> {
    if (this.#older?.isInUse === true) return null;
    const name = await this.#source.newest();
    if (name === undefined || name === this.#seen) return null;
    this.#older = undefined;
    const loaded = await this.#source.load();
    if (loaded === undefined) return null;
    const programs = await this.#programsOf(loaded.model);
    const { chatTemplate } = this.#options;
    const before = this.#newest;
    this.#newest = new ModelInUse(loaded, { programs, chatTemplate });
    this.#older = before?.isInUse === true ? before : undefined;
    this.#seen = name;
    return this.#newest.facts;
  }

  async close(): Promise<void> {
    for (const programs of this.#programs.values()) await programs.close();
  }

  /** At most one per phase of the ladder. */
  async #programsOf(model: ModelConfig): Promise<DecoderPrograms> {
    const key = JSON.stringify(model);
    const known = this.#programs.get(key);
    if (known !== undefined) return known;
    const opened = await DecoderPrograms.open({ model, threads: this.#options.threads });
    this.#programs.set(key, opened);
    return opened;
  }
}

export class ModelInUse {
  readonly facts: ModelFacts;
  readonly tokenizer: Tokenizer;
  readonly endTokens: ReadonlySet<number>;
  readonly #programs: DecoderPrograms;
  readonly #weights: Float32Array; // (P,)
  readonly #chat: ChatTemplate | null;
  #textsCount = 0;

  constructor(
    { model, weights, tokenizerFile, chat, name, fingerprint, origin }: SourcedModel,
    { programs, chatTemplate }: { programs: DecoderPrograms; chatTemplate: string | null },
  ) {
    const { contextLength: contextTokens } = model;
    this.facts = { name, fingerprint, contextTokens, origin };
    this.tokenizer = tokenizerOf(tokenizerFile);
    this.#programs = programs;
    this.#weights = weights;
    const template = chatTemplate ?? chat.template;
    this.#chat = template === null ? null : openChatTemplate(template, chat.tokens);
    // What ends a document, and what the model's makers say ends an answer, when that is one token.
    const named = this.tokenizer.encode(chat.tokens["eos_token"] ?? "");
    const ends = [this.tokenizer.endToken, named.length === 1 ? named[0] : null];
    this.endTokens = new Set(ends.filter((token) => typeof token === "number"));
  }

  get isInUse(): boolean {
    return this.#textsCount > 0;
  }

  /** Must be given back with `release`. */
  decoder(): Decoder {
    this.#textsCount += 1;
    return new Decoder(this.#programs, this.#weights);
  }

  release(): void {
    this.#textsCount -= 1;
  }

  /** 1 to T - 1 tokens, so that there is room for an answer. */
  tokensOf(prompt: Prompt): Verdict<readonly number[]> {
    const { contextTokens } = this.facts;
    const encoded = this.#encode(prompt);
    if (encoded.kind !== "accept") return encoded;
    const tokens = encoded.value;
    const unknown = tokens.find((token) => token >= this.#programs.model.vocabSize);
    if (unknown !== undefined)
      return reject("TOKEN_UNKNOWN", `expected tokens below ${this.#programs.model.vocabSize}`);
    if (tokens.length < contextTokens) return encoded;
    return reject(
      "CONTEXT_LENGTH_EXCEEDED",
      `the model's context is ${contextTokens} tokens, answer included; the prompt has ${tokens.length}`,
    );
  }

  #encode(prompt: Prompt): Verdict<readonly number[]> {
    const encode = (text: string): Verdict<readonly number[]> =>
      accept(Array.from(this.tokenizer.encode(text === "" ? LINE_BREAK : text)));
    if (prompt.kind === "tokens") return accept(prompt.tokens);
    if (prompt.kind === "text") return encode(prompt.text);
    if (this.#chat === null) {
      return reject(
        "CHAT_TEMPLATE_MISSING",
        "this model has no chat template: it was not made for conversations; use /v1/completions",
      );
    }
    const rendered = this.#chat.render(prompt.messages);
    return rendered.kind === "accept" ? encode(rendered.value) : rendered;
  }
}

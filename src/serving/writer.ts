/** What writes the texts, as this room sees it: it is given one, and knows neither files nor training. */
import type { Verdict } from "../core/index.ts";

export interface ServedModel {
  /** What clients call it. */
  readonly name: string;
  /** Since when it is served, in seconds of Unix time. */
  readonly createdSeconds: number;
  /** Names its weights: another one, other weights. */
  readonly fingerprint: string;
  /** T: prompt and answer together. */
  readonly contextTokens: number;
  /** Where it is from, in words of the source's own. */
  readonly origin: Readonly<Record<string, string | number>>;
}

export interface Message {
  readonly role: string;
  readonly content: string;
}

export type Prompt =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tokens"; readonly tokens: readonly number[] }
  | { readonly kind: "chat"; readonly messages: readonly Message[] };

export interface TextRequest {
  readonly prompt: Prompt;
  /** Null: until the context is full. */
  readonly tokensMax: number | null;
  readonly temperature: number;
  readonly topP: number;
  readonly seed: string;
}

export interface BegunText {
  readonly text: number;
  readonly promptTokens: number;
  /** Of the model that writes it to its end, whatever is served meanwhile. */
  readonly fingerprint: string;
}

/** One token's text, which may be empty (in the middle of a character); or what is left at the end, and why it ends. */
export type TextPart =
  | { readonly kind: "token"; readonly text: string }
  | { readonly kind: "end"; readonly text: string; readonly reason: "model" | "length" };

export interface Writer {
  /** The newest; undefined before there is any. */
  model(): ServedModel | undefined;
  /** Refused: the request is one that the model cannot answer. */
  begin(request: TextRequest): Promise<Verdict<BegunText>>;
  next(text: number): Promise<TextPart>;
  /** Must be called once for each text that was begun, when it ended or nobody wants the rest. */
  end(text: number): Promise<void>;
}

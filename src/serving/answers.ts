/** OpenAI's answers as JSON: whole, or as the chunks of a stream. One builder per kind of request, over the same parts. */
import type { ServedModel } from "./writer.ts";

export type Finish = "stop" | "length";

export interface TokenCounts {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

export interface AnswerHead {
  readonly id: string;
  readonly createdSeconds: number;
  readonly model: string;
  /** `system_fingerprint`: the weights that wrote it. */
  readonly fingerprint: string;
}

export interface Answers {
  readonly idPrefix: string;
  whole(head: AnswerHead, o: { text: string; finish: Finish; counts: TokenCounts }): object;
  /** What a stream begins with, before the first token. */
  opening(head: AnswerHead): object | undefined;
  chunk(head: AnswerHead, text: string): object;
  closing(head: AnswerHead, finish: Finish): object;
  /** Behind all others, for clients that asked for it. */
  counts(head: AnswerHead, counts: TokenCounts): object;
}

function headOf(head: AnswerHead, object: string): object {
  return {
    id: head.id,
    object,
    created: head.createdSeconds,
    model: head.model,
    system_fingerprint: head.fingerprint,
  };
}

function usageOf({ promptTokens, completionTokens }: TokenCounts): object {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

function completion(text: string, finish: Finish | null): object {
  return { index: 0, text, logprobs: null, finish_reason: finish };
}

export const completionAnswers: Answers = {
  idPrefix: "cmpl",
  whole: (head, { text, finish, counts }) => ({
    ...headOf(head, "text_completion"),
    choices: [completion(text, finish)],
    usage: usageOf(counts),
  }),
  opening: () => undefined,
  chunk: (head, text) => ({ ...headOf(head, "text_completion"), choices: [completion(text, null)] }),
  closing: (head, finish) => ({ ...headOf(head, "text_completion"), choices: [completion("", finish)] }),
  counts: (head, counts) => ({ ...headOf(head, "text_completion"), choices: [], usage: usageOf(counts) }),
};

function delta(content: object, finish: Finish | null): object {
  return { index: 0, delta: content, logprobs: null, finish_reason: finish };
}

const CHUNK = "chat.completion.chunk";

export const chatAnswers: Answers = {
  idPrefix: "chatcmpl",
  whole: (head, { text, finish, counts }) => ({
    ...headOf(head, "chat.completion"),
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: text, refusal: null },
        logprobs: null,
        finish_reason: finish,
      },
    ],
    usage: usageOf(counts),
  }),
  opening: (head) => ({
    ...headOf(head, CHUNK),
    choices: [delta({ role: "assistant", content: "" }, null)],
  }),
  chunk: (head, content) => ({ ...headOf(head, CHUNK), choices: [delta({ content }, null)] }),
  closing: (head, finish) => ({ ...headOf(head, CHUNK), choices: [delta({}, finish)] }),
  counts: (head, counts) => ({ ...headOf(head, CHUNK), choices: [], usage: usageOf(counts) }),
};

export function modelAnswer({
  name,
  createdSeconds,
  contextTokens,
  fingerprint,
  origin,
}: ServedModel): object {
  return {
    id: name,
    object: "model",
    created: createdSeconds,
    owned_by: "starling",
    // Beyond OpenAI's fields; clients leave alone what they don't know.
    context_length: contextTokens,
    system_fingerprint: fingerprint,
    origin,
  };
}

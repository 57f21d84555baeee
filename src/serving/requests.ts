/**
 * What a client may ask, by OpenAI's names and defaults. What it asks for and this server cannot do is refused, never
 * silently left out; fields that change nothing here (`user`, say) are let through.
 */
import { z } from "zod";
import type { Refusal } from "./refusal.ts";
import type { Prompt, TextRequest } from "./writer.ts";

/** Guess: four times the longest context that a model here has, in characters. */
export const BODY_BYTES_MAX: number = 1024 * 1024;
/** OpenAI's own default for completions. */
const COMPLETION_TOKENS = 16;
const MESSAGES_MAX = 4096;

/** The same for both kinds of request. Null means "not given", as some clients send it. */
const common = {
  model: z.string().max(256),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string().min(1).max(256), z.array(z.string().min(1).max(256)).max(4)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().min(1).max(1_000_000).nullish(),
  n: z.literal(1, "this server writes one text per request").nullish(),
  presence_penalty: z.literal(0, "penalties are not supported").nullish(),
  frequency_penalty: z.literal(0, "penalties are not supported").nullish(),
  logit_bias: z.record(z.string(), z.never("logit_bias is not supported")).nullish(),
} as const;

const completionSchema = z.looseObject({
  ...common,
  prompt: z.union([
    z.string(),
    z.tuple([z.string()]).transform(([text]) => text),
    z.array(z.int().min(0)).min(1).max(BODY_BYTES_MAX),
  ]),
  best_of: z.literal(1, "this server writes one text per request").nullish(),
  echo: z.literal(false, "echo is not supported").nullish(),
  logprobs: z.literal(0, "logprobs are not supported").nullish(),
  suffix: z.literal("", "suffix is not supported").nullish(),
});

const contentSchema = z.union([
  z.string(),
  z
    .array(z.object({ type: z.literal("text", "this model reads text only"), text: z.string() }))
    .transform((parts) => parts.map(({ text }) => text).join("")),
]);

const chatSchema = z.looseObject({
  ...common,
  messages: z
    .array(z.looseObject({ role: z.string().max(64), content: contentSchema }))
    .min(1)
    .max(MESSAGES_MAX),
  max_completion_tokens: z.int().min(1).max(1_000_000).nullish(),
  logprobs: z.literal(false, "logprobs are not supported").nullish(),
  tools: z.array(z.never("tools are not supported")).nullish(),
  response_format: z
    .looseObject({ type: z.literal("text", "only the response format text is supported") })
    .nullish(),
});

export interface Asked {
  readonly model: string;
  readonly stops: readonly string[];
  readonly isStreamed: boolean;
  /** The number of tokens comes behind a streamed answer. */
  readonly wantsUsage: boolean;
  readonly request: TextRequest;
}

/** A request, or what is wrong with it. */
export type Reading = Asked | Refusal;

/** `newSeed`: of a request that names none. */
export function readCompletion(body: unknown, newSeed: () => string): Reading {
  return read(completionSchema, body, (given) => {
    const { prompt } = given;
    const named: Prompt =
      typeof prompt === "string" ? { kind: "text", text: prompt } : { kind: "tokens", tokens: prompt };
    return asked(given, { prompt: named, tokensMax: given.max_tokens ?? COMPLETION_TOKENS, newSeed });
  });
}

export function readChat(body: unknown, newSeed: () => string): Reading {
  return read(chatSchema, body, (given) =>
    asked(given, {
      prompt: {
        kind: "chat",
        messages: given.messages.map(({ role, content }) => ({ role, content })),
      },
      tokensMax: given.max_completion_tokens ?? given.max_tokens ?? null,
      newSeed,
    }),
  );
}

function read<T>(schema: z.ZodType<T>, body: unknown, then: (given: T) => Asked): Reading {
  const result = schema.safeParse(body);
  if (result.success) return then(result.data);
  // Its messages name what was expected, not what came: no part of a prompt is in them.
  const [issue] = result.error.issues;
  const param = issue?.path.join(".") ?? "";
  return {
    status: 400,
    code: "invalid_request",
    message: `${param === "" ? "body" : param}: ${issue?.message ?? "invalid"}`,
    ...(param !== "" && { param }),
  };
}

function asked(
  given: z.infer<z.ZodObject<typeof common>>,
  { prompt, tokensMax, newSeed }: { prompt: Prompt; tokensMax: number | null; newSeed: () => string },
): Asked {
  const { model, temperature, top_p: topP, seed, stop } = given;
  return {
    model,
    stops: typeof stop === "string" ? [stop] : (stop ?? []),
    isStreamed: given.stream === true,
    wantsUsage: given.stream_options?.include_usage === true,
    request: {
      prompt,
      tokensMax,
      temperature: temperature ?? 1,
      topP: topP ?? 1,
      seed: seed === null || seed === undefined ? newSeed() : String(seed),
    },
  };
}

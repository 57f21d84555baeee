/** The routes, by OpenAI's paths. What clients send and get is in no log: an error of ours is logged without its words. */
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Clock, Logger } from "../core/index.ts";
import { type Answers, chatAnswers, completionAnswers, modelAnswer } from "./answers.ts";
import { type Guarded, METRICS_KEY, guard, mayReadMetrics } from "./guard.ts";
import type { KeyRing } from "./keys.ts";
import type { ServingMetrics } from "./metrics.ts";
import { refuse } from "./refusal.ts";
import { type Asked, BODY_BYTES_MAX, type Reading, readChat, readCompletion } from "./requests.ts";
import { streamed, whole } from "./respond.ts";
import { openText } from "./texts.ts";
import type { Turns } from "./turns.ts";
import type { UsageBook } from "./usage.ts";
import type { Writer } from "./writer.ts";

export interface AppDeps {
  readonly writer: Writer;
  readonly keys: KeyRing;
  readonly turns: Turns;
  readonly usage: UsageBook;
  readonly metrics: ServingMetrics;
  readonly clock: Clock;
  /** Seconds of Unix time. */
  readonly nowSeconds: () => number;
  readonly newId: () => string;
  readonly log: Logger;
  /** Nothing new is begun. */
  readonly isStopping: () => boolean;
  /** Aborted: what is under way is broken off. */
  readonly closing: AbortSignal;
}

type Kind = { answers: Answers; read: (body: unknown, newSeed: () => string) => Reading };
type TextContext = Context<Guarded>;

/** Guess: a first round settles, or a large model is read, in less than a minute. */
const MODEL_RETRY_SECONDS = 30;

export function createApp(deps: AppDeps): Hono<Guarded> {
  const { writer, keys, usage, metrics, log } = deps;
  const app = new Hono<Guarded>();
  // Says nothing about anybody: for whoever restarts and balances.
  app.get("/healthz", (context) => context.text("ok"));
  app.get("/readyz", (context) =>
    writer.model() === undefined ? context.text("no model yet", 503) : context.text("ok"),
  );
  app.use(async (context, next) => {
    await next();
    metrics.countAnswer(context.req.path, context.res.status);
  });
  app.use(guard(keys));
  app.use(bodyLimit({ maxSize: BODY_BYTES_MAX, onError: () => tooLarge() }));
  app.get("/v1/models", (context) => {
    const model = writer.model();
    return context.json({ object: "list", data: model === undefined ? [] : [modelAnswer(model)] });
  });
  app.get("/v1/models/:name{.+}", (context) => {
    const model = writer.model();
    const name = context.req.param("name");
    return model?.name === name ? context.json(modelAnswer(model)) : unknownModel(model?.name);
  });
  app.get("/v1/usage", (context) => {
    const keyName = context.get("keyName");
    const { requests, promptTokens, completionTokens } = usage.of(keyName);
    return context.json({
      object: "usage",
      key: keyName,
      requests,
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
    });
  });
  app.get("/metrics", async (context) =>
    mayReadMetrics(keys, context.get("keyName"))
      ? context.text(await metrics.text(), 200, { "content-type": metrics.registry.contentType })
      : notForThisKey(),
  );
  const kinds: [string, Kind][] = [
    ["/v1/completions", { answers: completionAnswers, read: readCompletion }],
    ["/v1/chat/completions", { answers: chatAnswers, read: readChat }],
  ];
  for (const [path, kind] of kinds) app.post(path, (context) => answer(deps, kind, context));
  app.notFound(() =>
    refuse({
      status: 404,
      code: "unknown_url",
      message: "expected /v1/models, /v1/completions, /v1/chat/completions, /v1/usage or /metrics",
    }),
  );
  app.onError((error) => {
    // Its message may quote what somebody wrote; where it was thrown does not.
    const where = (error.stack ?? "").split("\n").filter((line) => line.startsWith("    at "));
    log.error("request failed", { error: error.name, where });
    return refuse({ status: 500, code: "bug", message: "the server made a mistake; its log says where" });
  });
  return app;
}

async function answer(deps: AppDeps, { answers, read }: Kind, context: TextContext): Promise<Response> {
  const { writer, turns, isStopping, closing } = deps;
  const body = await bodyOf(context);
  if (body === undefined)
    return refuse({ status: 400, code: "invalid_json", message: "expected a JSON body" });
  const asked = read(body, deps.newId);
  if ("status" in asked) return refuse(asked);
  const unable = refusalOf(asked, writer);
  if (unable !== undefined) return unable;
  if (isStopping()) return goingAway();
  const gone = context.req.raw.signal;
  const opened = await openText(deps, {
    request: asked.request,
    stops: asked.stops,
    keyName: context.get("keyName"),
    signal: AbortSignal.any([gone, closing]),
  }).catch((error: unknown) => {
    // Decides: whoever waited in line and is gone, or is sent away, gets no text; anything else is ours.
    if (gone.aborted || closing.aborted) return undefined;
    throw error;
  });
  if (opened === undefined) return goingAway();
  if (opened.kind !== "accept") {
    return opened.code === "QUEUE_FULL"
      ? refuse({
          status: 429,
          code: "queue_full",
          message: `the server is busy: ${opened.detail}; try again later`,
          retryAfterSeconds: turns.retryAfterSeconds(),
        })
      : refuse({ status: 400, code: opened.code.toLowerCase(), message: opened.detail });
  }
  const head = {
    id: `${answers.idPrefix}-${deps.newId()}`,
    createdSeconds: deps.nowSeconds(),
    model: asked.model,
    fingerprint: opened.value.fingerprint,
  };
  return asked.isStreamed
    ? streamed(opened.value, { answers, head, wantsUsage: asked.wantsUsage })
    : whole(opened.value, { answers, head });
}

function refusalOf({ model: name }: Asked, writer: Writer): Response | undefined {
  const model = writer.model();
  if (model === undefined)
    return refuse({
      status: 503,
      code: "no_model_yet",
      message: "there is no settled model yet: try again when rounds have settled",
      retryAfterSeconds: MODEL_RETRY_SECONDS,
    });
  return name === model.name ? undefined : unknownModel(model.name);
}

/** Undefined when it is no JSON; the parser's own words would quote it. */
async function bodyOf(context: TextContext): Promise<unknown> {
  try {
    return (await context.req.json()) as unknown;
  } catch {
    // Decides: the client is told that it is no JSON.
    return undefined;
  }
}

function unknownModel(known: string | undefined): Response {
  const message = known === undefined ? "there is no model yet" : `expected the model ${known}`;
  return refuse({ status: 404, code: "model_not_found", message, param: "model" });
}

function tooLarge(): Response {
  const message = `expected at most ${BODY_BYTES_MAX} bytes`;
  return refuse({ status: 413, code: "body_too_large", message });
}

function notForThisKey(): Response {
  const message = `expected the key named ${METRICS_KEY}: metrics have every key's counts`;
  return refuse({ status: 403, code: "metrics_key", message });
}

function goingAway(): Response {
  return refuse({
    status: 503,
    code: "stopping",
    message: "the server is stopping",
    retryAfterSeconds: MODEL_RETRY_SECONDS,
  });
}

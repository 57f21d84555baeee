/** N5: OpenAI's own client against the server, a real model behind it. */
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Logger, silentLog, startAll, stopAll } from "../../../src/core/index.ts";
import {
  type ModelServer,
  type ServeOptions,
  createModelServer,
  generateFromFolder,
} from "../../../src/node/index.ts";
import { TemporaryFolder, writeModelFolder } from "../../support/model-folders.ts";

const TEMPLATE =
  "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no tools here') }}{% endif %}" +
  "{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";

let folder: TemporaryFolder;
/** One text at once, one in line. */
let plain: { client: OpenAI; url: string };
let chatty: { client: OpenAI };
const open: ModelServer[] = [];

beforeAll(async () => {
  folder = await TemporaryFolder.create();
  await writeModelFolder(folder.path("plain"));
  await writeModelFolder(folder.path("chatty"), { chatTemplate: TEMPLATE });
  plain = await serve("plain");
  chatty = await serve("chatty");
});

afterAll(async () => {
  for (const { services } of open) await stopAll(services);
  await folder[Symbol.asyncDispose]();
});

async function serve(
  name: string,
  o: { server?: Partial<ServeOptions["server"]>; usagePath?: string; log?: Logger } = {},
): Promise<{ client: OpenAI; server: ModelServer; url: string }> {
  const server = await createModelServer(
    {
      writer: { place: { kind: "model", dir: folder.path(name) }, threads: 1, chatTemplate: null },
      server: { host: "127.0.0.1", port: 0, keys: [], atOnce: 1, queueMax: 1, ...o.server },
      usagePath: o.usagePath ?? null,
    },
    { log: o.log ?? silentLog },
  );
  open.push(server);
  await startAll(server.services);
  const url = server.serving.url() ?? "";
  const apiKey = o.server?.keys?.[0]?.key ?? "none";
  return { client: new OpenAI({ baseURL: url, apiKey, maxRetries: 0 }), server, url };
}

/** What `starling generate` writes. */
async function written(name: string, prompt: string, tokensMax: number): Promise<string> {
  const options = { prompt, tokensMax, temperature: 0, topP: 1, seed: "1" };
  let text = "";
  for await (const part of generateFromFolder(folder.path(name), options, { threads: 1 })) text += part;
  return text;
}

describe("N5: the official client", () => {
  test("lists the model and gets it by name", async () => {
    const { client } = plain;
    const { data } = await client.models.list();
    expect(data.map(({ id, object }) => [id, object])).toEqual([["plain", "model"]]);
    expect((await client.models.retrieve("plain")).owned_by).toBe("starling");
    await expect(client.models.retrieve("other")).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
    });
  });

  test("N5: a completion is what `starling generate` writes, whole and streamed, with its counts", async () => {
    const { client } = plain;
    const asked = { model: "plain", prompt: "Call me", max_tokens: 12, temperature: 0 };
    const whole = await client.completions.create(asked);
    expect(whole.choices[0]?.text).toBe(await written("plain", "Call me", 12));
    expect(whole.choices[0]?.finish_reason).toBe("length");
    expect(whole.usage).toEqual({ prompt_tokens: 7, completion_tokens: 12, total_tokens: 19 });
    let text = "";
    let counts: OpenAI.CompletionUsage | undefined;
    let finish: string | null = null;
    const stream = await client.completions.create({
      ...asked,
      prompt: [...Buffer.from("Call me")],
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const { choices, usage } of stream) {
      text += choices[0]?.text ?? "";
      finish = choices[0]?.finish_reason ?? finish;
      counts = usage ?? counts;
    }
    expect(text).toBe(whole.choices[0]?.text);
    expect(finish).toBe("length");
    expect(counts).toEqual(whole.usage);
  });

  test("N5: a seed makes a drawn text again, another seed another", async () => {
    const { client } = plain;
    const draw = async (seed: number): Promise<string> => {
      const asked = { model: "plain", prompt: "a", max_tokens: 20, seed };
      return (await client.completions.create(asked)).choices[0]?.text ?? "";
    };
    const first = await draw(7);
    expect(await draw(7)).toBe(first);
    expect(await draw(8)).not.toBe(first);
  });

  test("N5: a stop word ends the text before it, streamed or not", async () => {
    const { client } = plain;
    const all = await written("plain", "Call me", 40);
    const stop = all.slice(10, 12);
    const asked = { model: "plain", prompt: "Call me", max_tokens: 40, temperature: 0, stop };
    const { choices } = await client.completions.create(asked);
    expect(choices[0]?.text).toBe(all.slice(0, all.indexOf(stop)));
    expect(choices[0]?.finish_reason).toBe("stop");
    let text = "";
    for await (const chunk of await client.completions.create({ ...asked, stream: true }))
      text += chunk.choices[0]?.text ?? "";
    expect(text).toBe(choices[0]?.text);
  });

  test("N5: a conversation goes through the model's chat template, whole and streamed", async () => {
    const { client } = chatty;
    const messages = [
      { role: "system" as const, content: "be brief" },
      { role: "user" as const, content: [{ type: "text" as const, text: "hi" }] },
    ];
    const asked = { model: "chatty", messages, max_completion_tokens: 8, temperature: 0 };
    const whole = await client.chat.completions.create(asked);
    const prompt = "system: be brief\nuser: hi\nassistant: ";
    expect(whole.choices[0]?.message).toMatchObject({
      role: "assistant",
      content: await written("chatty", prompt, 8),
    });
    expect(whole.usage?.prompt_tokens).toBe(prompt.length);
    let text = "";
    let role: string | undefined;
    for await (const { choices } of await client.chat.completions.create({ ...asked, stream: true })) {
      role ??= choices[0]?.delta.role;
      text += choices[0]?.delta.content ?? "";
    }
    expect([role, text]).toEqual(["assistant", whole.choices[0]?.message.content]);
    await expect(
      client.chat.completions.create({
        ...asked,
        messages: [{ role: "tool", content: "x", tool_call_id: "1" }],
      }),
    ).rejects.toMatchObject({ status: 400, message: expect.stringContaining("no tools here") });
  });

  test("N5: without a chat template a conversation is refused with what to use instead", async () => {
    const { client } = plain;
    const messages = [{ role: "user" as const, content: "hi" }];
    await expect(client.chat.completions.create({ model: "plain", messages })).rejects.toMatchObject({
      status: 400,
      code: "chat_template_missing",
      message: expect.stringContaining("/v1/completions"),
    });
  });

  test("N5: what the model or the server cannot do is refused, and says which field", async () => {
    const { client } = plain;
    const asked = { model: "plain", prompt: "a" };
    await expect(client.completions.create({ ...asked, n: 2 })).rejects.toMatchObject({
      status: 400,
      param: "n",
    });
    await expect(client.completions.create({ ...asked, logprobs: 3 })).rejects.toMatchObject({
      param: "logprobs",
    });
    await expect(client.completions.create({ ...asked, temperature: 9 })).rejects.toMatchObject({
      param: "temperature",
    });
    await expect(client.completions.create({ ...asked, model: "x" })).rejects.toMatchObject({ status: 404 });
    await expect(client.completions.create({ ...asked, prompt: "a".repeat(5000) })).rejects.toMatchObject({
      status: 400,
      code: "context_length_exceeded",
    });
    await expect(client.completions.create({ ...asked, prompt: [300] })).rejects.toMatchObject({
      code: "token_unknown",
    });
    await expect(
      client.completions.create({ ...asked, prompt: "a".repeat(2_000_000) }),
    ).rejects.toMatchObject({
      status: 413,
    });
  });

  test("N5: the line is bounded: who comes too late is told when to come again, who waits gets a text", async () => {
    const { client } = plain;
    const asked = { model: "plain", prompt: "a", max_tokens: 60, temperature: 0 };
    const results = await Promise.allSettled(
      Array.from({ length: 4 }, () => client.completions.create(asked)),
    );
    const refused = results.filter((result) => result.status === "rejected");
    expect(refused).toHaveLength(2);
    for (const { reason } of refused) {
      expect(reason).toBeInstanceOf(OpenAI.RateLimitError);
      expect(
        Number((reason as InstanceType<typeof OpenAI.RateLimitError>).headers?.get("retry-after")),
      ).toBeGreaterThanOrEqual(1);
    }
    expect((await client.completions.create(asked)).choices).toHaveLength(1);
  });

  test("N5: a client that leaves ends its text, and its turn is free", async () => {
    const { client, url } = plain;
    const used = async (): Promise<{ requests: number; completion_tokens: number }> =>
      (await (await fetch(`${url}/usage`)).json()) as { requests: number; completion_tokens: number };
    const before = await used();
    const asked = { model: "plain", prompt: "a", max_tokens: 100, temperature: 0 };
    const stream = await client.completions.create({ ...asked, stream: true });
    for await (const _ of stream) break;
    await expect.poll(async () => (await used()).requests).toBe(before.requests + 1);
    const tokens = (await used()).completion_tokens - before.completion_tokens;
    expect(tokens).toBeGreaterThanOrEqual(1);
    expect(tokens, "the rest was not written").toBeLessThan(100);
    expect((await client.completions.create({ ...asked, max_tokens: 1 })).choices).toHaveLength(1);
  });

  test("N4 N5: metrics have requests by status, the line, latencies and tokens by key name, and no words", async () => {
    const names = ["ann", "metrics"];
    const keys = names.map((name) => ({ name, key: `${name}-0123456789abcdef` }));
    const { client, url } = await serve("plain", { server: { keys } });
    const asked = { model: "plain", prompt: "a secret of ann's", max_tokens: 5, temperature: 0 };
    const { choices } = await client.completions.create(asked);
    await expect(client.completions.create({ ...asked, n: 2 })).rejects.toMatchObject({ status: 400 });
    const ask = (key: string | undefined): Promise<Response> =>
      fetch(new URL("/metrics", url), { headers: { authorization: `Bearer ${key}` } });
    expect((await ask("nobody's")).status).toBe(401);
    expect((await ask(keys[0]?.key)).status).toBe(403);
    const answer = await ask(keys[1]?.key);
    expect(answer.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    const text = await answer.text();
    for (const line of [
      'starling_serving_requests_total{endpoint="completions",code="200"} 1',
      'starling_serving_requests_total{endpoint="completions",code="400"} 1',
      'starling_serving_requests_total{endpoint="other",code="401"} 1',
      'starling_serving_texts_total{key="ann"} 1',
      'starling_serving_prompt_tokens_total{key="ann"} 17',
      'starling_serving_completion_tokens_total{key="ann"} 5',
      "starling_serving_texts_writing 0",
      "starling_serving_texts_waiting 0",
      "starling_serving_first_token_seconds_count 1",
      "starling_serving_wait_seconds_count 1",
      "starling_serving_text_seconds_count 1",
    ])
      expect(text.split("\n")).toContain(line);
    expect(text).toMatch(/^starling_serving_model_info\{model="plain",fingerprint="\S+"\} 1$/m);
    expect(text).not.toContain("secret");
    expect(text).not.toContain("0123456789abcdef");
    if ((choices[0]?.text ?? "").trim().length > 2) expect(text).not.toContain(choices[0]?.text);
    // Where there are no keys, any program of this machine.
    expect((await fetch(new URL("/metrics", plain.url))).status).toBe(200);
  });

  test("N5: with keys nobody else gets an answer, and each key's use is counted over restarts", async () => {
    const keys = ["ann", "bob"].map((name) => ({ name, key: `${name}-0123456789abcdef` }));
    const usagePath = folder.path("counted/usage.json");
    const first = await serve("plain", { server: { keys }, usagePath });
    const stranger = new OpenAI({ baseURL: first.url, apiKey: "ann-0123456789abcdeX", maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    await first.client.completions.create({ model: "plain", prompt: "abc", max_tokens: 5, temperature: 0 });
    await stopAll(first.server.services);
    expect(JSON.parse(await readFile(usagePath, "utf8"))).toEqual({
      ann: { requests: 1, promptTokens: 3, completionTokens: 5 },
    });
    const { client, url } = await serve("plain", { server: { keys }, usagePath });
    await client.completions.create({ model: "plain", prompt: "abc", max_tokens: 5, temperature: 0 });
    const usageOf = async (key: string | undefined): Promise<unknown> =>
      (await fetch(`${url}/usage`, { headers: { authorization: `Bearer ${key}` } })).json();
    expect(await usageOf(keys[0]?.key)).toMatchObject({ key: "ann", requests: 2, completion_tokens: 10 });
    expect(await usageOf(keys[1]?.key)).toMatchObject({ key: "bob", requests: 0 });
  });
});

test("N5: it refuses to listen for others without keys", async () => {
  await expect(serve("plain", { server: { host: "0.0.0.0" } })).rejects.toMatchObject({
    code: "SERVE_NEEDS_KEYS",
  });
});

test("N5: without keys it answers this machine's programs, not a web page or a name that was made to point here", async () => {
  const { url } = plain;
  const ask = async (headers: Record<string, string>): Promise<number> => {
    return new Promise((resolve, reject) => {
      const asked = request(`${url}/models`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      asked.on("error", reject).end();
    });
  };
  expect(await ask({})).toBe(200);
  expect(await ask({ host: "evil.example" })).toBe(403);
  expect(await ask({ origin: "http://evil.example" })).toBe(403);
});

test("N5: a model that is not there is named with its code, out of the thread that looked for it", async () => {
  await expect(serve("nothing")).rejects.toMatchObject({ code: "MODEL_UNREADABLE" });
});

/**
 * The server's numbers for Prometheus: base units, `_total` on what only grows (https://prometheus.io/docs/practices/naming/).
 * By key there are counts, as for whoever bills; nothing says what was asked or written.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { Turns } from "./turns.ts";
import type { Usage, UsageBook } from "./usage.ts";
import type { Writer } from "./writer.ts";

/** Guess: a tiny model's first token takes ten milliseconds, a long text of a large one on a busy machine ten minutes. */
const BUCKETS_SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 600];

/** Where requests go, by what their labels say; anything else is `other`, so that nobody can make labels. */
const ENDPOINTS: Readonly<Record<string, string>> = {
  "/v1/completions": "completions",
  "/v1/chat/completions": "chat_completions",
  "/v1/models": "models",
  "/v1/usage": "usage",
};

export interface MetricSources {
  readonly usage: Pick<UsageBook, "all">;
  readonly turns: Pick<Turns, "writing" | "waiting">;
  readonly writer: Pick<Writer, "model">;
}

export interface ServingMetrics {
  readonly registry: Registry;
  /** A request has its answer, or the beginning of it. */
  countAnswer(path: string, status: number): void;
  /** Of a text: how long it waited in line, until its first token, and until it ended; from when it was asked for. */
  observe(stage: "wait" | "firstToken" | "text", durationMs: number): void;
  /** In the text format of Prometheus. */
  text(): Promise<string>;
}

const BY_KEY: readonly { readonly name: string; readonly help: string; readonly of: keyof Usage }[] = [
  { name: "texts", help: "Texts that were begun, by the key's name.", of: "requests" },
  { name: "prompt_tokens", help: "Tokens of prompts, by the key's name.", of: "promptTokens" },
  { name: "completion_tokens", help: "Tokens written, by the key's name.", of: "completionTokens" },
];

export function createServingMetrics({ usage, turns, writer }: MetricSources): ServingMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const made = (name: string, help: string): { name: string; help: string; registers: Registry[] } => ({
    name: `starling_serving_${name}`,
    help,
    registers,
  });
  const answers = new Counter({
    ...made("requests_total", "Requests that were answered, by endpoint and HTTP status."),
    labelNames: ["endpoint", "code"],
  });
  const histogram = (name: string, help: string): Histogram =>
    new Histogram({ ...made(name, help), buckets: BUCKETS_SECONDS });
  const stages = {
    wait: histogram("wait_seconds", "Time that texts waited in line."),
    firstToken: histogram("first_token_seconds", "Time from asking for a text to its first token."),
    text: histogram("text_seconds", "Time from asking for a text to its end, however it ended."),
  };
  const byKey = BY_KEY.map(({ name, help, of }) => ({
    of,
    counter: new Counter({ ...made(`${name}_total`, help), labelNames: ["key"] }),
  }));
  const writing = new Gauge(made("texts_writing", "Texts that are being written."));
  const waiting = new Gauge(made("texts_waiting", "Texts that wait in line."));
  const model = new Gauge({
    ...made("model_info", "Always 1; the labels say what is served. Absent before there is a model."),
    labelNames: ["model", "fingerprint"],
  });

  function read(): void {
    writing.set(turns.writing);
    waiting.set(turns.waiting);
    const served = writer.model();
    model.reset();
    if (served !== undefined) model.set({ model: served.name, fingerprint: served.fingerprint }, 1);
    const used = Object.entries(usage.all());
    for (const { of, counter } of byKey) {
      counter.reset();
      for (const [key, counts] of used) counter.inc({ key }, counts[of]);
    }
  }

  return {
    registry,
    countAnswer: (path, status) => answers.inc({ endpoint: ENDPOINTS[path] ?? "other", code: status }),
    observe: (stage, durationMs) => stages[stage].observe(durationMs / 1000),
    text: () => {
      read();
      return registry.metrics();
    },
  };
}

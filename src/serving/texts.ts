/**
 * One text from the line to its last word: a turn, the writer, stop words, and the count of what was used. However it
 * ends (told to, full, the client gone, an error), the turn is given back and what was written is counted.
 */
import { type Clock, type Verdict, accept } from "../core/index.ts";
import type { Finish, TokenCounts } from "./answers.ts";
import type { ServingMetrics } from "./metrics.ts";
import { StopText } from "./stop-text.ts";
import type { Turns } from "./turns.ts";
import type { UsageBook } from "./usage.ts";
import type { BegunText, TextRequest, Writer } from "./writer.ts";

export interface TextDeps {
  readonly writer: Writer;
  readonly turns: Turns;
  readonly usage: UsageBook;
  readonly metrics: Pick<ServingMetrics, "observe">;
  readonly clock: Clock;
}

export interface TextOrder {
  readonly request: TextRequest;
  readonly stops: readonly string[];
  /** Whose use it is. */
  readonly keyName: string;
  /** The client is gone. */
  readonly signal: AbortSignal;
}

export interface Text {
  readonly fingerprint: string;
  readonly promptTokens: number;
  /** The text as it comes, never empty; then why it ended, and its counts. Must be run to its end or returned from. */
  parts(): AsyncGenerator<string, { finish: Finish; counts: TokenCounts }>;
  /** For who may not have begun to read it; after its end nothing happens. */
  abandon(): Promise<void>;
}

/** Refused with `QUEUE_FULL`, or with what the writer says. Throws the signal's reason when the client leaves the line. */
export async function openText(deps: TextDeps, order: TextOrder): Promise<Verdict<Text>> {
  const { writer, turns, usage, metrics, clock } = deps;
  const { request, stops, keyName, signal } = order;
  const askedMs = clock.nowMs();
  const sinceAsked = (): number => clock.nowMs() - askedMs;
  const turn = await turns.take(signal);
  if (turn.kind !== "accept") return turn;
  metrics.observe("wait", sinceAsked());
  let begun: Verdict<BegunText>;
  try {
    begun = await writer.begin(request);
  } catch (error) {
    // Ours to give back, whoever is at fault.
    turn.value();
    throw error;
  }
  if (begun.kind !== "accept") {
    turn.value();
    return begun;
  }
  const { text, promptTokens, fingerprint } = begun.value;
  let completionTokens = 0;
  let ended: Promise<void> | undefined;
  const end = (): Promise<void> =>
    (ended ??= (async () => {
      metrics.observe("text", sinceAsked());
      usage.add(keyName, { requests: 1, promptTokens, completionTokens });
      try {
        await writer.end(text);
      } finally {
        turn.value();
      }
    })());

  async function* parts(): AsyncGenerator<string, { finish: Finish; counts: TokenCounts }> {
    const stopText = new StopText(stops);
    const counts = (): TokenCounts => ({ promptTokens, completionTokens });
    try {
      for (;;) {
        signal.throwIfAborted();
        const part = await writer.next(text);
        if (part.kind === "token") completionTokens += 1;
        if (completionTokens === 1 && part.kind === "token") metrics.observe("firstToken", sinceAsked());
        const { text: said, stopped } = stopText.push(part.text);
        if (said !== "") yield said;
        if (stopped) return { finish: "stop", counts: counts() };
        if (part.kind === "token") continue;
        const rest = stopText.end();
        if (rest !== "") yield rest;
        return { finish: part.reason === "model" ? "stop" : "length", counts: counts() };
      }
    } finally {
      await end();
    }
  }
  return accept({ fingerprint, promptTokens, parts, abandon: end });
}

/**
 * Snapshots as they come, to every open page: server-sent events. However often the node changes, a page gets at most
 * one in `INTERVAL_MS`, and a page that does not read gets none until it does.
 */
import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { type Clock, pause } from "../core/index.ts";
import type { SnapshotSource } from "./snapshot.ts";

/** Guess: as live as a person can read. */
const INTERVAL_MS = 1_000;
/** Without a change: lets both sides know that the other is still there. Guess. */
const QUIET_MS_MAX = 10_000;
/** What a page waits before it asks again after a break. */
const RETRY_MS = 1_000;
/** Open pages at a time. Guess: one person's tabs and a wall screen. */
const STREAMS_MAX = 16;

export class EventStreams {
  readonly #source: SnapshotSource;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  #open = 0;

  constructor(o: { source: SnapshotSource; clock: Clock }) {
    this.#source = o.source;
    this.#clock = o.clock;
  }

  /** Ends all of them. */
  close(): void {
    this.#stopping.abort(new Error("the dashboard is stopping"));
  }

  answer(context: Context): Response {
    if (this.#open >= STREAMS_MAX) {
      const message = `expected at most ${STREAMS_MAX} open pages, got one more; close some`;
      return context.json({ code: "STREAMS_MAX", message }, 503);
    }
    this.#open += 1;
    return streamSSE(context, async (stream) => {
      try {
        await this.#send(stream);
      } finally {
        this.#open -= 1;
      }
    });
  }

  async #send(stream: SSEStreamingApi): Promise<void> {
    const ended = new AbortController();
    const signal = AbortSignal.any([ended.signal, this.#stopping.signal]);
    stream.onAbort(() => ended.abort(new Error("the page is gone")));
    let change = Promise.withResolvers<void>();
    const stopListening = this.#source.onChange(() => change.resolve());
    try {
      while (!signal.aborted) {
        change = Promise.withResolvers<void>();
        const data = JSON.stringify(this.#source.snapshot());
        await stream.writeSSE({ event: "snapshot", data, retry: RETRY_MS });
        await pause(this.#clock, INTERVAL_MS, signal);
        const changed = new AbortController();
        void change.promise.then(() => changed.abort(new Error("there is something new")));
        await pause(this.#clock, QUIET_MS_MAX, AbortSignal.any([signal, changed.signal]));
      }
    } finally {
      stopListening();
    }
  }
}

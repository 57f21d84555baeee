/**
 * One request, one reply, one stream: each a single length-prefixed frame followed by the end of that direction. A stream
 * per request costs one round trip more than a persistent one and buys cancellation and no head-of-line
 * blocking. js-libp2p streams have no read back-pressure, so nothing here waits between reads: a frame is bounded
 * by its length prefix before it is buffered, and anything after it ends the stream.
 */
import type { Stream } from "@libp2p/interface";
import { messageStreamToDuplex } from "@libp2p/utils";
import { decode, encode } from "it-length-prefixed";
import { pipe } from "it-pipe";
import type { Uint8ArrayList } from "uint8arraylist";
import { type Clock, type Verdict, accept, ignore, messageOf, reject } from "../core/index.ts";

type Chunk = Uint8Array | Uint8ArrayList;

export interface AskOptions {
  replyBytesMax: number;
  /** The stream is given up when nothing arrives for this long. */
  idleMs: number;
  clock: Clock;
  signal: AbortSignal;
}

/**
 * Sends one request and reads one reply. `reject`: what came was no frame, too large, or more than one. Throws what
 * the stream throws when the connection fails, and the signal's reason when it is aborted.
 */
export async function ask(stream: Stream, request: Uint8Array, o: AskOptions): Promise<Verdict<Uint8Array>> {
  const done = new AbortController();
  let heardMs = o.clock.nowMs();
  const noteArrival = async function* (source: AsyncIterable<Chunk>): AsyncGenerator<Chunk> {
    for await (const chunk of source) {
      heardMs = o.clock.nowMs();
      yield chunk;
    }
  };
  const watch = async (): Promise<void> => {
    for (;;) {
      const leftMs = heardMs + o.idleMs - o.clock.nowMs();
      if (leftMs <= 0) return stream.abort(new Error(`expected a reply, nothing came for ${o.idleMs} ms`));
      await o.clock.sleep(leftMs, done.signal);
    }
  };
  const watching = watch().catch(() => undefined); // Rejects only when `done` ends its sleep below.
  try {
    return await abortable(stream, o.signal, () =>
      pipe(
        [request],
        (source) => encode(source),
        messageStreamToDuplex(stream),
        noteArrival,
        (source: AsyncIterable<Chunk>) => decode(source, { maxDataLength: o.replyBytesMax }),
        onlyFrame,
      ),
    );
  } finally {
    done.abort();
    await watching;
  }
}

export interface AnswerOptions {
  requestBytesMax: number;
  signal: AbortSignal;
}

/**
 * Reads one request and sends what `reply` makes of it; a request that is refused gets no reply, and the verdict
 * is returned. Throws as `ask` does.
 */
export async function answer(
  stream: Stream,
  reply: (request: Uint8Array) => Promise<Verdict<Uint8Array>>,
  o: AnswerOptions,
): Promise<Verdict<unknown>> {
  let verdict: Verdict<Uint8Array> = ignore("FRAME_MISSING", "expected a request, nothing was read");
  const duplex = messageStreamToDuplex(stream);
  await abortable(stream, o.signal, () =>
    pipe(
      duplex,
      (source) => decode(source, { maxDataLength: o.requestBytesMax }),
      async function* (source: AsyncIterable<Uint8ArrayList>): AsyncGenerator<Uint8Array> {
        verdict = await onlyFrame(source);
        if (verdict.kind === "accept") verdict = await reply(verdict.value);
        if (verdict.kind === "accept") yield verdict.value;
        else stream.abort(new Error(verdict.detail));
      },
      (source) => encode(source),
      duplex,
    ),
  );
  return verdict;
}

/** Runs `work` and aborts the stream when the signal is aborted first, or when anything but `accept` comes of it. */
async function abortable<T>(stream: Stream, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const abort = (): void => stream.abort(signal.reason as Error);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await work();
  } catch (error) {
    // Nothing of this stream may go on: whatever is buffered is dropped and the other side is told.
    stream.abort(error instanceof Error ? error : new Error(messageOf(error)));
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function onlyFrame(frames: AsyncIterable<Uint8ArrayList>): Promise<Verdict<Uint8Array>> {
  let frame: Uint8Array | undefined;
  try {
    for await (const next of frames) {
      if (frame !== undefined) return reject("FRAME_EXTRA", "expected one frame, more came after it");
      frame = next.subarray();
    }
  } catch (error) {
    // A length prefix that breaks the bounds is the peer's fault; everything else is the connection's.
    if (isLengthError(error)) return reject("FRAME_LENGTH", messageOf(error));
    throw error;
  }
  return frame === undefined
    ? ignore("FRAME_MISSING", "expected one frame, the stream ended before it")
    : accept(frame);
}

/** The `name`s under which it-length-prefixed reports a prefix that is negative, too long, or above the bound. */
const LENGTH_ERRORS = new Set(["InvalidMessageLengthError", "InvalidDataLengthError", "InvalidDataLengthLengthError"]);

function isLengthError(error: unknown): boolean {
  return error instanceof Error && LENGTH_ERRORS.has(error.name);
}

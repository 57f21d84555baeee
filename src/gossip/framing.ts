/**
 * One request, one reply, one stream: each a single length-prefixed frame, after which its sender closes its direction. A
 * stream per request costs one round trip more than a persistent one and buys cancellation and no head-of-line blocking.
 * js-libp2p streams have no read back-pressure, so nothing here waits between reads: a frame is bounded by its length
 * prefix before it is buffered, and nothing behind it is read.
 */
import type { Stream } from "@libp2p/interface";
import { messageStreamToDuplex } from "@libp2p/utils";
import { decode, encode } from "it-length-prefixed";
import { pipe } from "it-pipe";
import type { Uint8ArrayList } from "uint8arraylist";
import { type Clock, type Verdict, accept, ignore, messageOf, pause, reject } from "../core/index.ts";
import { plainBytes } from "./bytes.ts";

/** How often a stream is looked at within its idle time. */
const IDLE_LOOKS = 8;

type Chunk = Parameters<Stream["send"]>[0];
type Frames = AsyncIterable<{ subarray(): Uint8Array }>;

/** A list spares a copy of the block behind the status byte. */
export type Reply = Uint8Array | Uint8ArrayList;

export interface FrameOptions {
  /** Of the frame that is read. */
  bytesMax: number;
  /** The stream is given up when nothing moves for this long. */
  idleMs: number;
  clock: Clock;
  signal: AbortSignal;
}

/** Nothing moved on the stream for too long. */
export class StalledError extends Error {
  override readonly name = "StalledError";
}

/**
 * Sends one request and reads one reply. `reject`: what came was no frame, or too large. Throws what the stream throws
 * when the connection fails, and the signal's reason when it is aborted.
 */
export async function ask(
  stream: Stream,
  request: Uint8Array,
  o: FrameOptions,
): Promise<Verdict<Uint8Array>> {
  let chunks = 0;
  const verdict = await guarded(stream, { ...o, progress: () => chunks }, () =>
    pipe(
      [request],
      (source) => encode(source),
      messageStreamToDuplex(stream),
      async function* (source: AsyncIterable<Chunk>): AsyncGenerator<Chunk> {
        for await (const chunk of source) {
          chunks += 1;
          yield chunk;
        }
      },
      (source: AsyncIterable<Chunk>) => decode(source, { maxDataLength: o.bytesMax }),
      firstFrame,
    ),
  );
  // The reply is here: whatever the other side still sends, or fails to close, is cut off.
  stream.abort(new Error("the reply has been read"));
  return verdict;
}

/**
 * Reads one request and lets `serve` send the reply; a request that is refused gets none. Returns the verdict on the request.
 * Throws as `ask` does.
 */
export async function answer<T>(
  stream: Stream,
  serve: (request: Uint8Array, send: (reply: Reply) => Promise<void>) => Promise<Verdict<T>>,
  o: FrameOptions,
): Promise<Verdict<unknown>> {
  const duplex = messageStreamToDuplex(stream);
  const send = async (reply: Reply): Promise<void> => {
    await guarded(stream, { ...o, progress: () => stream.writeBufferLength }, async () => {
      await pipe([reply], (source) => encode(source), duplex.sink);
      return accept(undefined);
    });
  };
  const request = await guarded(stream, { ...o, progress: () => 0 }, () =>
    pipe(duplex.source, (source) => decode(source, { maxDataLength: o.bytesMax }), firstFrame),
  );
  if (request.kind !== "accept") return request;
  const verdict = await serve(request.value, send);
  if (verdict.kind !== "accept") stream.abort(new Error(verdict.detail));
  return verdict;
}

/** Runs `work`, and aborts the stream when it fails, refuses, stands still, or the signal is aborted first. */
async function guarded<T>(
  stream: Stream,
  o: FrameOptions & { progress: () => number },
  work: () => Promise<Verdict<T>>,
): Promise<Verdict<T>> {
  const done = new AbortController();
  const abort = (): void => stream.abort(o.signal.reason as Error);
  o.signal.addEventListener("abort", abort, { once: true });
  const watching = watch(stream, o, done.signal);
  try {
    o.signal.throwIfAborted();
    // A stream that was reset before we came to listen does not say so again.
    if (stream.status !== "open") throw new Error(`expected an open stream, it is ${stream.status}`);
    const verdict = await work();
    if (verdict.kind !== "accept") stream.abort(new Error(verdict.detail));
    return verdict;
  } catch (error) {
    // Nothing of this stream may go on: whatever is buffered is dropped and the other side is told.
    stream.abort(error instanceof Error ? error : new Error(messageOf(error)));
    done.abort();
    // What the stream throws when it is aborted does not say why.
    throw (await watching) ?? error;
  } finally {
    o.signal.removeEventListener("abort", abort);
    done.abort();
    await watching;
  }
}

/** Aborts the stream, and says so, when `progress` has stayed the same for `idleMs`; ends when `done` is aborted. */
async function watch(
  stream: Stream,
  o: { progress: () => number; idleMs: number; clock: Clock },
  done: AbortSignal,
): Promise<StalledError | undefined> {
  let last = o.progress();
  for (let stillLooks = 0; stillLooks < IDLE_LOOKS;) {
    if (!(await pause(o.clock, o.idleMs / IDLE_LOOKS, done))) return undefined;
    const now = o.progress();
    stillLooks = now === last ? stillLooks + 1 : 0;
    last = now;
  }
  const stalled = new StalledError(`expected progress, nothing moved for ${o.idleMs} ms`);
  stream.abort(stalled);
  return stalled;
}

/**
 * The first frame; what a peer sends behind it is nobody's business. It must not wait for the end of the stream:
 * libp2p stores the peer before it calls our handler, and an end that comes in that moment is never told to us.
 */
async function firstFrame(frames: Frames): Promise<Verdict<Uint8Array>> {
  try {
    for await (const frame of frames) return accept(plainBytes(frame.subarray()));
  } catch (error) {
    // A length prefix that breaks the bounds is the peer's fault; everything else is the connection's.
    if (isLengthError(error)) return reject("FRAME_LENGTH", messageOf(error));
    throw error;
  }
  return ignore("FRAME_MISSING", "expected one frame, the stream ended before it");
}

/** The names under which it-length-prefixed reports a prefix that is negative, too long, or above the bound. */
const LENGTH_ERRORS = new Set([
  "InvalidMessageLengthError",
  "InvalidDataLengthError",
  "InvalidDataLengthLengthError",
]);

function isLengthError(error: unknown): boolean {
  return error instanceof Error && LENGTH_ERRORS.has(error.name);
}

import type { Stream } from "@libp2p/interface";
import { streamPair } from "@libp2p/utils";
import fc from "fast-check";
import { encode } from "it-length-prefixed";
import { expect, test } from "vitest";
import { type Clock, type Verdict, accept, reject, systemClock } from "../../../src/core/index.ts";
import { type FrameOptions, answer, ask } from "../../../src/gossip/framing.ts";

const BYTES_MAX = 1000;

function options(o: Partial<FrameOptions> = {}): FrameOptions {
  return { bytesMax: BYTES_MAX, idleMs: 5000, clock: systemClock, signal: AbortSignal.timeout(10_000), ...o };
}

/** Answers a request with itself, twice over. */
function echo(stream: Stream, o: FrameOptions = options()): Promise<Verdict<unknown>> {
  const serve = async (
    request: Uint8Array,
    send: (reply: Uint8Array) => Promise<void>,
  ): Promise<Verdict<unknown>> => {
    await send(Buffer.concat([request, request]));
    return accept(undefined);
  };
  return answer(stream, serve, o);
}

function once(stream: Stream, event: "close" | "remoteCloseWrite"): Promise<void> {
  return new Promise((resolve) => stream.addEventListener(event, () => resolve(), { once: true }));
}

test("any request up to the bound comes back as its reply, as plain bytes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: BYTES_MAX / 2 }), async (request) => {
      const [near, far] = await streamPair();
      const [reply, verdict] = await Promise.all([ask(near, request, options()), echo(far)]);
      expect(verdict.kind).toBe("accept");
      expect(reply).toEqual(accept(new Uint8Array(Buffer.concat([request, request]))));
    }),
    { numRuns: 50 },
  );
});

test("any bytes at all are a verdict, and a stream that is refused is ended", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 5 }), async (chunks) => {
      const [near, far] = await streamPair();
      const outcome = echo(far).then(
        (verdict) => verdict.kind,
        (error: Error) => error.name,
      );
      for (const chunk of chunks) if (near.status === "open") near.send(chunk);
      await near.close().catch(() => undefined); // It may have been reset by then.
      const kind = await outcome;
      expect(["accept", "ignore", "reject", "UnexpectedEOFError"]).toContain(kind);
      if (kind !== "accept") expect(far.status).toBe("aborted");
    }),
    { numRuns: 100 },
  );
});

test("a request one byte above the bound is rejected", async () => {
  const [near, far] = await streamPair();
  near.send(encode.single(new Uint8Array(BYTES_MAX + 1)));
  expect(await echo(far)).toMatchObject({ kind: "reject", code: "FRAME_LENGTH" });
  expect(far.status).toBe("aborted");
});

test("what comes behind a request is not read, and its sender need not have closed to be answered", async () => {
  const [near, far] = await streamPair();
  const frame = encode.single(Uint8Array.of(7)).subarray();
  near.send(Buffer.concat([frame, frame]));
  const replied = once(near, "remoteCloseWrite");
  const replies: number[] = [];
  near.addEventListener("message", ({ data }) => replies.push(...data.subarray()));
  expect(await echo(far)).toEqual(accept(undefined));
  await replied;
  expect(replies).toEqual([2, 7, 7]);
});

test("a request whose end came before anybody listened is answered all the same", async () => {
  const [near, far] = await streamPair();
  const ended = once(far, "remoteCloseWrite");
  near.send(encode.single(Uint8Array.of(7)));
  const replied = once(near, "remoteCloseWrite");
  await near.close();
  await ended;
  expect(await echo(far)).toEqual(accept(undefined));
  await replied;
});

test("a stream that was reset before anybody listened is an error at once, not a wait", async () => {
  const [near, far] = await streamPair();
  const ended = once(far, "close");
  near.abort(new Error("gone"));
  await ended;
  await expect(echo(far)).rejects.toThrow("it is reset");
});

test("a peer that goes on sending behind its reply is cut off, and the reply counts", async () => {
  const [near, far] = await streamPair();
  const ended = once(far, "close");
  far.send(Buffer.concat([encode.single(Uint8Array.of(7)).subarray(), new Uint8Array(5000)]));
  expect(await ask(near, Uint8Array.of(1), options())).toEqual(accept(Uint8Array.of(7)));
  await ended;
  expect(far.status).toBe("reset");
});

test("a reply above the bound is rejected", async () => {
  const [near, far] = await streamPair();
  const [reply] = await Promise.all([
    ask(near, new Uint8Array(BYTES_MAX), options()),
    echo(far).catch(() => undefined), // The asker resets the stream.
  ]);
  expect(reply).toMatchObject({ kind: "reject", code: "FRAME_LENGTH" });
});

test("a refused request gets no reply: the asker's stream is reset", async () => {
  const [near, far] = await streamPair();
  const asking = ask(near, Uint8Array.of(1), options());
  const [verdict] = await Promise.all([
    answer(far, async () => reject("RUBBISH", "no honest peer asks this"), options()),
    expect(asking).rejects.toThrow(),
  ]);
  expect(verdict).toMatchObject({ kind: "reject", code: "RUBBISH" });
});

test("a stream that stands still is given up after idleMs of the clock, not before", async () => {
  const sleeps: number[] = [];
  const wake = Promise.withResolvers<void>();
  // Both ends sleep on the clock; only the asker's ends.
  const clock: Clock = {
    nowMs: () => 0,
    sleep: (ms) => {
      sleeps.push(ms);
      return wake.promise;
    },
  };
  const [near, far] = await streamPair();
  const asking = ask(near, Uint8Array.of(1), options({ clock, idleMs: 1234 }));
  asking.catch(() => undefined); // Judged below; it must not count as unhandled until then.
  expect(near.status).toBe("open");
  wake.resolve();
  await expect(asking).rejects.toThrow("nothing moved for 1234 ms");
  expect(sleeps.reduce((sum, ms) => sum + ms, 0)).toBe(1234);
  expect(["reset", "aborted"]).toContain(near.status);
  far.abort(new Error("done"));
});

test("the caller's signal ends an ask at once", async () => {
  const [near] = await streamPair();
  const caller = new AbortController();
  const asking = ask(near, Uint8Array.of(1), options({ signal: caller.signal }));
  caller.abort(new Error("enough"));
  await expect(asking).rejects.toThrow("enough");
  expect(near.status).toBe("aborted");
});

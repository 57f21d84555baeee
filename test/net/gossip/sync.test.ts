import { expect, test } from "vitest";
import { DAG_CBOR, type Cid, cidOf, digestOf } from "../../../src/core/index.ts";
import type { HeaderSource } from "../../../src/gossip/index.ts";
import { DEADLINE_MS, eventually, pair, randomBytes, runOf } from "./nodes.ts";

const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(DEADLINE_MS) });

/** Headers as a disk would hold them: one each round, of 1 KiB. */
const HEADERS = Array.from({ length: 2000 }, (_, round) => randomBytes(`header ${round}`, 1024));

const HELD_ROOT = digestOf(randomBytes("held", 10));
const HELD_BASE = runOf("base");
const SOURCE: HeaderSource = {
  since: async ({ phase, fromRound, bytesMax }) => {
    const all = phase === 0 ? HEADERS.slice(fromRound) : [];
    const headers = all.slice(0, Math.floor(bytesMax / 1024));
    return { headers, more: headers.length < all.length };
  },
  state: ({ root }) => (root === HELD_ROOT ? HELD_BASE : undefined),
  byIds: async (ids) => HEADERS.filter((header) => ids.includes(cidOf(header, DAG_CBOR))),
};

test("a joiner reads all headers from a round on, oldest first, in bounded replies", async () => {
  const [holder, joiner] = await pair({ headers: SOURCE });
  const got: Uint8Array[] = [];
  let replies = 0;
  for (let more = true; more; replies++) {
    const reply = await joiner.requestHeaders(holder.peerId, { phase: 0, fromRound: 5 + got.length }, soon());
    got.push(...reply.headers);
    more = reply.more;
  }
  expect(replies).toBeGreaterThan(1);
  expect(got.length).toBe(1995);
  expect(
    got.every((header, index) => Buffer.compare(header, HEADERS[index + 5] ?? header.subarray(1)) === 0),
  ).toBe(true);
  expect(await joiner.requestHeaders(holder.peerId, { phase: 1, fromRound: 0 }, soon())).toEqual({
    headers: [],
    more: false,
  });
});

test("headers are fetched by id, 256 at once, the unknown left out", async () => {
  const [holder, asker] = await pair({ headers: SOURCE });
  const ids = HEADERS.slice(0, 255).map((header) => cidOf(header, DAG_CBOR));
  const reply = await asker.requestHeaders(holder.peerId, { ids: [...ids, runOf("unknown")] }, soon());
  expect(reply.headers.map((header) => cidOf(header, DAG_CBOR))).toEqual(ids);
  const tooMany = Array.from({ length: 257 }, (): Cid => runOf("unknown"));
  await expect(asker.requestHeaders(holder.peerId, { ids: tooMany }, soon())).rejects.toThrow(/256/);
});

test("a source that gives too much is cut to the reply's bound, with more to come", async () => {
  const large = Array.from({ length: 64 }, (_, n) => randomBytes(`large ${n}`, 60_000));
  const headers = {
    since: async () => ({ headers: large, more: false }),
    byIds: async () => large,
    state: () => undefined,
  };
  const [holder, asker] = await pair({ headers });
  const reply = await asker.requestHeaders(holder.peerId, { phase: 0, fromRound: 0 }, soon());
  expect(reply.more).toBe(true);
  expect(reply.headers.length).toBe(17);
});

test("S2 a peer says under which CID it holds a settled state, and that it holds none", async () => {
  const [holder, asker] = await pair({ headers: SOURCE });
  const name = { phase: 0, round: 40, root: HELD_ROOT };
  expect(await asker.requestState(holder.peerId, name, soon())).toBe(HELD_BASE);
  const root = digestOf(randomBytes("other", 10));
  expect(await asker.requestState(holder.peerId, { ...name, root }, soon())).toBe(undefined);
});

test("headers that nobody asked for cost the sender", async () => {
  const headers = { ...SOURCE, byIds: async () => [randomBytes("unasked", 100)] };
  const [liar, asker] = await pair({ headers });
  const asking = asker.requestHeaders(liar.peerId, { ids: [runOf("asked")] }, soon());
  await expect(asking).rejects.toMatchObject({ code: "SYNC_FAILED" });
  await eventually(() => asker.score(liar.peerId)).toBeLessThan(0);
});

test("a source that fails is an unanswered request, not a broken node", async () => {
  let broken = true;
  const since = async (): Promise<{ headers: Uint8Array[]; more: boolean }> => {
    if (broken) throw new Error("the disk is gone");
    return { headers: [], more: false };
  };
  const [holder, asker] = await pair({ headers: { ...SOURCE, since } });
  const query = { phase: 0, fromRound: 0 };
  await expect(asker.requestHeaders(holder.peerId, query, soon())).rejects.toMatchObject({
    code: "SYNC_FAILED",
  });
  broken = false;
  expect(await asker.requestHeaders(holder.peerId, query, soon())).toEqual({ headers: [], more: false });
});

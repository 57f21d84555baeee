import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ContributionId } from "../../../src/core/index.ts";
import type { StoredHeader } from "../../../src/storage/index.ts";
import { collect, nodeCid, randomBytes, recordingLog, temporaryDir, temporaryStore } from "./support.ts";

function header(phase: number, round: number, author: number, length = 100): StoredHeader {
  const bytes = randomBytes(length, `${phase}/${round}/${author}`);
  return { phase, round, id: nodeCid(bytes) as ContributionId, bytes };
}

/** The order that the store promises: by round, then by id. */
function inOrder(headers: readonly StoredHeader[]): Uint8Array[] {
  const sorted = [...headers].sort((a, b) => a.round - b.round || (a.id < b.id ? -1 : 1));
  return sorted.map((each) => each.bytes);
}

test("headers are read back by id, after a restart too, and twice is once", async () => {
  const dir = await temporaryDir();
  const first = await temporaryStore(dir);
  const [a, b] = [header(0, 1, 1), header(0, 1, 2)];
  for (const each of [a, a, { ...b, durable: true }]) await first.contributions.put(each);
  await first.close();
  const { contributions } = await temporaryStore(dir);
  expect(await contributions.get(a.id)).toEqual(a.bytes);
  expect(await contributions.get(b.id)).toEqual(b.bytes);
  expect(await contributions.get(header(0, 1, 3).id)).toBeUndefined();
  expect(await collect(contributions.all(0))).toEqual(inOrder([a, b]));
});

test("all headers of a phase come oldest first, whatever order they were put in", async () => {
  const { contributions } = await temporaryStore();
  // Rounds whose decimal, hexadecimal and byte orders differ, at both ends.
  const rounds = [0, 1, 9, 10, 15, 16, 255, 256, 65_536, 2 ** 32 - 1];
  const mine = rounds.flatMap((round) => [header(1, round, 0), header(1, round, 1)]);
  const others = [header(0, 7, 0), header(2, 0, 0), header(16, 1, 0)];
  for (const each of [...others, ...mine].reverse()) await contributions.put(each);
  expect(await collect(contributions.all(1))).toEqual(inOrder(mine));
  expect(await collect(contributions.all(3))).toEqual([]);
});

test("since pages through everything once, within the limit, from any round", async () => {
  const { contributions } = await temporaryStore();
  const headers = Array.from({ length: 30 }, (_, i) => header(0, i % 7, i, 20 + i * 10));
  for (const each of headers) await contributions.put(each);
  const page = fc.record({ fromRound: fc.nat(8), limitBytes: fc.integer({ min: 0, max: 3000 }) });
  await fc.assert(
    fc.asyncProperty(page, async ({ fromRound, limitBytes }) => {
      const expected = inOrder(headers.filter((each) => each.round >= fromRound));
      const got: Uint8Array[] = [];
      let [round, after, more] = [fromRound, undefined as ContributionId | undefined, true];
      while (more) {
        const answer = await contributions.since(0, round, limitBytes, after);
        const bytes = answer.headers.reduce((sum, each) => sum + each.length, 0);
        expect(bytes <= limitBytes || answer.headers.length === 1).toBe(true);
        got.push(...answer.headers);
        more = answer.more;
        const last = answer.headers.at(-1);
        if (last === undefined) continue;
        after = nodeCid(last) as ContributionId;
        round = headers.find((each) => each.id === after)?.round as number;
      }
      expect(got).toEqual(expected);
    }),
    { numRuns: 50 },
  );
});

test("F16: a header that differs from its hash is not handed out", async () => {
  const dir = await temporaryDir();
  const first = await temporaryStore(dir);
  const [a, b] = [header(0, 1, 1), header(0, 2, 2)];
  await first.contributions.put(a);
  await first.contributions.put(b);
  await first.close();
  const db = new ClassicLevel<string, Uint8Array>(join(dir, "contributions"), { valueEncoding: "view" });
  for await (const [key, value] of db.iterator())
    if (key.endsWith(a.id) && value.length === a.bytes.length)
      await db.put(key, value.with(50, (value[50] as number) ^ 1));
  await db.close();

  const { log, warnings } = recordingLog();
  const { contributions } = await temporaryStore(dir, log);
  expect(await contributions.get(a.id)).toBeUndefined();
  expect(await collect(contributions.all(0))).toEqual([b.bytes]);
  expect((await contributions.since(0, 0, 1000)).headers).toEqual([b.bytes]);
  expect(warnings).toEqual(
    Array.from({ length: 3 }, () => "a header on disk differs from its hash; not used"),
  );
  await contributions.put(a);
  expect(await contributions.get(a.id)).toEqual(a.bytes);
});

test("a header above 64 KiB and a round above 32 bits are bugs", async () => {
  const { contributions } = await temporaryStore();
  await contributions.put(header(0, 0, 0, 2 ** 16));
  await expect(contributions.put(header(0, 0, 0, 2 ** 16 + 1))).rejects.toThrow("at most 65536");
  for (const round of [-1, 0.5, 2 ** 32, NaN])
    await expect(contributions.put({ ...header(0, 0, 0), round })).rejects.toThrow("count below 2^32");
});

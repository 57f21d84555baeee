/** R8: the ledger lists and filters contributions, and says why one is not included. */
import { expect, test } from "vitest";
import { type LedgerEntry, type LedgerFilter, readLedger } from "../../../../src/node/verify/ledger.ts";
import type { Finding } from "../../../../src/node/verify/findings.ts";
import type { Archive } from "../../../../src/storage/index.ts";
import { Ledger, SETTLE_DEPTH } from "../../../support/ledger.ts";

async function read(
  source: Archive,
  filter: LedgerFilter = {},
): Promise<{ entries: LedgerEntry[]; findings: Finding[] }> {
  const findings: Finding[] = [];
  const signal = new AbortController().signal;
  const entries = await readLedger(source, {
    filter,
    onFinding: (finding) => findings.push(finding),
    signal,
  });
  return { entries, findings };
}

const NAMES = ["ann", "bob", "cy"];

test("R8 each contribution is included, or it says why not", async () => {
  const ledger = new Ledger();
  const zero = await ledger.addRounds([...NAMES, "dan"], 1);
  const heard = await ledger.addRounds(NAMES, 1, zero);
  const unheard = await ledger.add("dan", zero);
  const twice = [
    await ledger.add("dan", heard, { variant: "a" }),
    await ledger.add("dan", heard, { variant: "b" }),
  ];
  const two = await ledger.addRounds(NAMES, 1, heard);
  const six = await ledger.addRounds(NAMES, 4, two);
  const late = await ledger.add("dan", ledger.graph.round(5));
  const tip = await ledger.addRounds(NAMES, 1, six);
  const alone = await ledger.addRounds(["zoe"], SETTLE_DEPTH + 2);

  const { entries, findings } = await read(ledger.archive("ann"));
  expect(findings).toEqual([]);
  expect(entries.length).toBe(ledger.headers.size);
  const fates = new Map(
    entries.map(({ id, why, included, settled }) => [id as string, { why, included, settled }]),
  );
  const excluded = (why: string, settled: boolean): object => ({ why, settled, included: false });
  expect(fates.get(two[0].id)).toEqual({ why: null, included: true, settled: true });
  expect(fates.get(six[0].id)).toEqual({ why: null, included: true, settled: false });
  expect(fates.get(unheard.id)).toEqual(excluded("not cited by half of the weight", true));
  for (const { id } of twice) expect(fates.get(id)).toEqual(excluded("equivocation", true));
  expect(fates.get(late.id)).toEqual(excluded("not yet settled", false));
  for (const { id } of tip) expect(fates.get(id)).toEqual(excluded("round not decided", false));
  expect(fates.get(alone[0].id)).toEqual(excluded("other history", true));
});

test("R8 filters by author, phase, rounds and inclusion", async () => {
  const ledger = new Ledger();
  await ledger.addRounds(NAMES, 6);
  const source = ledger.archive("ann");
  const count = async (filter: LedgerFilter): Promise<number> => (await read(source, filter)).entries.length;
  const author = ledger.peer("bob");
  expect((await read(source, { author })).entries.map((entry) => entry.author)).toEqual(
    Array(6).fill(author),
  );
  expect((await read(source, { rounds: { first: 2, last: 3 } })).entries.map(({ round }) => round)).toEqual([
    2, 2, 2, 3, 3, 3,
  ]);
  expect(await count({ phase: 0 })).toBe(18);
  expect(await count({ phase: 1 })).toBe(0);
  expect(await count({ included: true })).toBe(15);
  expect(await count({ included: false })).toBe(3);
  expect(await count({ included: false, author, rounds: { first: 0, last: 4 } })).toBe(0);
});

test("R8 what can't be linked is left out and named; without a manifest there is no ledger", async () => {
  const ledger = new Ledger();
  await ledger.addRounds(NAMES, 3);
  const [id, stored] = [...ledger.headers].at(-1) as [never, { key: string; bytes: Uint8Array }];
  ledger.headers.set(id, { ...stored, bytes: stored.bytes.slice(1) });
  const { entries, findings } = await read(ledger.archive("ann"));
  expect(entries.length).toBe(8);
  expect(findings).toMatchObject([{ code: "HEADER_HASH", subject: id }]);
  ledger.blocks.delete(ledger.options.run);
  await expect(read(ledger.archive("ann"))).rejects.toMatchObject({ code: "MANIFEST_MISSING" });
});

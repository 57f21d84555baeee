/** R8, R9: the history of a run that climbed is checked, listed and credited through all of its phases. */
import { describe, expect, test } from "vitest";
import { type Cid, SeededRandom } from "../../../../src/core/index.ts";
import type { Contribution, View } from "../../../../src/consensus/index.ts";
import {
  creditsAsOf,
  collectCredits,
  creditsByAuthor,
  creditsPage,
} from "../../../../src/node/credits/credits.ts";
import type { Landmark, LandmarkStore } from "../../../../src/node/verify/landmark.ts";
import { readLedger } from "../../../../src/node/verify/ledger.ts";
import type { Archive } from "../../../../src/storage/index.ts";
import { Ledger, SETTLE_DEPTH } from "../../../support/ledger.ts";
import { check } from "./support.ts";

/** Steps of a round: cy does less than the others, and two are admitted. */
const STEPS = { ann: 5, bob: 5, cy: 4 };
const TOKENS_PER_STEP = 4 * 8;
/** Counted steps of a round, up to the median: 14. */
const ROUND_TOKENS = 14 * TOKENS_PER_STEP;
const END = 3;
const PHASE_ROUNDS = 8;

interface Climbed {
  readonly ledger: Ledger;
  readonly below: View;
  readonly above: View;
  readonly first: readonly Contribution[];
}

/** Two phases: the first ends with round 3, closes, and goes on for a while for ranking; the second has settled some. */
async function climbed(change?: (start: Int32Array) => void): Promise<Climbed> {
  const ledger = new Ledger({ tokensBudget: END * ROUND_TOKENS });
  expect(ledger.options.limits.tokensPerStep).toBe(TOKENS_PER_STEP);
  let last: Contribution[] = [];
  for (let round = 0; round < END + SETTLE_DEPTH + 2; round++) {
    const next: Contribution[] = [];
    const isRanking = round >= END + SETTLE_DEPTH;
    for (const [name, steps] of Object.entries(isRanking ? { cy: 4 } : STEPS))
      next.push(await ledger.add(name, last, { steps: round < END || isRanking ? steps : 0 }));
    last = next;
  }
  const [first, below] = [ledger.graph.round(0), ledger.graph.view(last[0].header.round + 1, last)];
  ledger.checkpoint(below, END);
  ledger.climb(below, { end: END, names: ["ann", "bob"], ...(change && { change }) });
  const tip = await ledger.addRounds(["ann", "bob"], PHASE_ROUNDS);
  const above = ledger.graph.view(PHASE_ROUNDS, tip);
  for (const round of [2, PHASE_ROUNDS - SETTLE_DEPTH]) ledger.checkpoint(above, round);
  return { ledger, below, above, first };
}

function memory(): { kept: Map<number, Landmark>; landmarks: (phase: number) => LandmarkStore } {
  const kept = new Map<number, Landmark>();
  const landmarks = (phase: number): LandmarkStore => ({
    save: async (landmark) => void kept.set(phase, { ...landmark, weights: landmark.weights.slice() }),
    load: async () => kept.get(phase),
  });
  return { kept, landmarks };
}

const bodiesOf = (contributions: readonly Contribution[]): Cid[] =>
  contributions.flatMap(({ header }) => (header.delta === null ? [] : [header.delta.cid]));

function without(source: Archive, cids: readonly Cid[]): Archive {
  return { ...source, block: async (cid) => (cids.includes(cid) ? undefined : source.block(cid)) };
}

describe("R8 verify goes through all phases", () => {
  test("R8 every phase is checked, and the growth between them recomputed as a start root", async () => {
    const { ledger, above } = await climbed();
    const { report, findings } = await check(ledger.archive("ann"));
    expect(findings).toEqual([]);
    expect(report).toMatchObject({
      settled: { phase: 1, ...ledger.settled(above, PHASE_ROUNDS - SETTLE_DEPTH) },
      roundsChecked: END + SETTLE_DEPTH + 2 + PHASE_ROUNDS,
      checked: { headers: ledger.headers.size, claims: ledger.headers.size, checkpoints: 3 },
      uncheckedCount: 0,
      otherHistories: 0,
    });
  });

  test("R8 a phase that starts from anything but what the one below grows into is found false", async () => {
    const { ledger } = await climbed((start) => void (start[7] += 1));
    const { findings } = await check(ledger.archive("ann"));
    expect(findings.map(({ code, subject }) => `${code} ${subject}`)).toEqual(
      ledger.graph
        .round(0)
        .map(({ id }) => `HEADER_START ${id}`)
        .toSorted(),
    );
  });

  test("R8 flipped bytes of either phase are found and named", async () => {
    const { ledger, first } = await climbed();
    const random = new SeededRandom("climbed");
    for (const c of [first[1], ledger.graph.round(2)[0]]) {
      const source = ledger.archive("ann");
      const [cid] = bodiesOf([c]);
      const wrong = Uint8Array.from(ledger.blocks.get(cid)!);
      wrong[random.below(wrong.length)] ^= 1;
      const damaged = { ...source, block: async (each: Cid) => (each === cid ? wrong : source.block(each)) };
      const { findings } = await check(damaged, { isHasty: true });
      expect(findings[0]?.subject).toBe(c.id);
    }
  });

  test("R8 goes on where the last check ended, in every phase", async () => {
    const { ledger, above } = await climbed();
    const { kept, landmarks } = memory();
    const whole = await check(ledger.archive("ann"), { landmarks });
    expect([...kept].map(([phase, { round }]) => [phase, round])).toEqual([
      [0, END],
      [1, PHASE_ROUNDS - SETTLE_DEPTH],
    ]);
    const again = await check(ledger.archive("ann"), { landmarks });
    expect(again.findings).toEqual([]);
    expect(again.report.settled).toEqual({ phase: 1, ...ledger.settled(above, PHASE_ROUNDS - SETTLE_DEPTH) });
    expect(again.report.fromRound).toBe(PHASE_ROUNDS - 2 * SETTLE_DEPTH);
    expect(again.report.roundsChecked).toBeLessThan(whole.report.roundsChecked);
  });

  test("R8 deltas below that were let go: a checkpoint of the end stands in for them, or else the start counts as unchecked", async () => {
    const { ledger, first } = await climbed();
    const pruned = without(ledger.archive("ann"), bodiesOf(first));
    const withEnd = await check(pruned);
    expect(withEnd.findings).toEqual([]);
    expect(withEnd.report.settled?.phase).toBe(1);
    expect(withEnd.report.unchecked.headers).toBe(0);
    // Of phase 0 those that start from what is missing; of phase 1 nothing.
    expect(withEnd.report.checked.claims).toBeGreaterThanOrEqual(2 * PHASE_ROUNDS);

    const bare = { ...pruned, checkpoints: async function* () {} };
    const without0 = await check(bare);
    expect(without0.findings).toEqual([]);
    expect(without0.report.checked.headers).toBe(ledger.headers.size);
    expect(without0.report.unchecked.claims).toBeGreaterThanOrEqual(2 * (PHASE_ROUNDS - 1));
    expect(without0.report.unchecked.headers).toBe(0);

    // One of phase 1 is enough to go on from.
    const late = ledger.checkpoints.filter(({ phase }) => phase === 1);
    const some = await check({
      ...pruned,
      checkpoints: async function* () {
        yield* late;
      },
    });
    expect(some.findings).toEqual([]);
    expect(some.report.settled?.phase).toBe(1);
  });
});

test("R8 the ledger lists contributions of all phases, each with its phase", async () => {
  const { ledger, below } = await climbed();
  const read = (filter: Parameters<typeof readLedger>[1]["filter"]): ReturnType<typeof readLedger> =>
    readLedger(ledger.archive("ann"), {
      filter,
      onFinding: (finding) => expect(finding).toBeUndefined(),
      signal: new AbortController().signal,
    });
  const all = await read({});
  expect(all.length).toBe(ledger.headers.size);
  const above = await read({ phase: 1 });
  expect(above.map(({ round }) => round)).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]);
  expect(above.filter(({ settled }) => settled).every(({ included }) => included)).toBe(true);
  expect(all.filter(({ phase }) => phase === 0).length).toBe(all.length - above.length);
  expect((await read({ phase: 0, included: true })).length).toBeGreaterThan(0);
  expect(below.settledRound).toBeGreaterThan(END);
});

test("R9 credits are minted over all phases, up to the end of each, by its own rule; pages and earlier rounds too", async () => {
  const { ledger, below, above } = await climbed();
  const source = { run: ledger.run, manifest: ledger.manifest, views: [below, above] };
  const whole = creditsPage(source, 0);
  const settled = PHASE_ROUNDS - SETTLE_DEPTH;
  expect(whole.phases).toEqual([
    { phase: 0, rounds: END, perToken: 2 },
    { phase: 1, rounds: settled, perToken: 3 },
  ]);
  expect(whole.rounds).toBe(END + settled);
  const sums = new Map(creditsByAuthor(whole).map(({ author, credits }) => [author, Number(credits)]));
  const ofBoth = 2 * END * 5 * TOKENS_PER_STEP + 3 * settled * 5 * TOKENS_PER_STEP;
  expect(sums.get(ledger.peer("ann"))).toBe(ofBoth);
  expect(sums.get(ledger.peer("bob"))).toBe(ofBoth);
  // What cy did after the end was for ranking, and earns nothing.
  expect(sums.get(ledger.peer("cy"))).toBe(2 * END * 4 * TOKENS_PER_STEP);

  const paged = await collectCredits((fromRound) => creditsPage(source, fromRound, 1));
  expect(paged.lines).toEqual(whole.lines);
  const early = creditsAsOf(paged, END + 1);
  expect(early.phases.map(({ rounds }) => rounds)).toEqual([END, 1]);
  expect(early.lines).toEqual(whole.lines.filter(({ phase, round }) => phase === 0 || round < 1));
});

/** R8: anyone can check a whole history offline. */
import { describe, expect, test } from "vitest";
import { type UnsignedHeader, batchSeed, encodeHeader } from "../../../../src/consensus/index.ts";
import {
  type Cid,
  type Digest,
  RAW,
  type RunId,
  SeededRandom,
  cidOf,
  digestOf,
} from "../../../../src/core/index.ts";
import type { Landmark, LandmarkStore } from "../../../../src/node/verify/landmark.ts";
import { type Archive, type RawFolder, headerKey } from "../../../../src/storage/index.ts";
import { Ledger, SETTLE_DEPTH } from "../../../support/ledger.ts";
import { textBytes } from "../../../support/run-of.ts";
import { check } from "./support.ts";

const FLIPS = 2000;
const NAMES = ["ann", "bob", "cy"];

/** Nine rounds of three, the last of them unsettled, and a checkpoint. */
async function nineRounds(): Promise<Ledger> {
  const ledger = new Ledger();
  const last = await ledger.addRounds(NAMES, 9);
  ledger.checkpoint(last[0].view, 4);
  ledger.checkpoint(ledger.graph.view(9, last), 6);
  return ledger;
}

function without(source: Archive, cids: readonly Cid[]): Archive {
  return { ...source, block: async (cid) => (cids.includes(cid) ? undefined : source.block(cid)) };
}

function flipped(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[random.below(copy.length)] ^= 1 + random.below(255);
  return copy;
}

describe("R8 a history that is true", () => {
  test("R8 every header, delta, fold, root and checkpoint is checked, and the settled root is the one of the slow fold", async () => {
    const ledger = await nineRounds();
    const { report, findings } = await check(ledger.archive("ann"));
    expect(findings).toEqual([]);
    expect(report).toMatchObject({
      settled: ledger.settled(ledger.graph.view(9, ledger.graph.round(8)), 9 - SETTLE_DEPTH),
      fromRound: 0,
      roundsChecked: 9,
      checked: { headers: 27, deltas: 27, claims: 27, checkpoints: 2 },
      uncheckedCount: 0,
      otherHistories: 0,
      isInterrupted: false,
    });
  });

  test("R8 views that differ in the unsettled rounds are each folded for themselves", async () => {
    const ledger = new Ledger();
    let last = await ledger.addRounds(NAMES, 2);
    for (let round = 2; round < 14; round++) {
      // Each in turn is heard by one of the others only, or by nobody.
      const [absent, ...others] = [...last.slice(round % 3), ...last.slice(0, round % 3)];
      const cited = round % 4 === 0 ? others : [absent, ...others];
      last = [
        await ledger.add("ann", others),
        await ledger.add("bob", cited),
        await ledger.add("cy", others, { steps: round % 5 === 0 ? 0 : 2 + (round % 3) }),
      ];
    }
    const { report, findings } = await check(ledger.archive("bob"));
    expect(findings).toEqual([]);
    expect(report.checked.claims).toBe(14 * 3);
    expect(report.uncheckedCount + report.otherHistories).toBe(0);
  });

  test("R8 a folder without a node's own contribution follows the heaviest author", async () => {
    const { report, findings } = await check((await nineRounds()).archive());
    expect(findings).toEqual([]);
    expect(report.settled?.round).toBe(6);
  });
});

describe("R8 flipped bytes", () => {
  test(`R8 ${FLIPS} random bytes in headers, deltas and checkpoints, one at a time: each is found and named`, async () => {
    const ledger = new Ledger();
    const last = await ledger.addRounds(["ann", "bob"], 5);
    ledger.checkpoint(last[0].view, 1);
    ledger.checkpoint(ledger.graph.view(5, last), 2);
    const source = ledger.archive("ann");
    const all = [...ledger.headers].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const trained = [...Array(5).keys()].flatMap((round) => ledger.graph.round(round));
    const random = new SeededRandom("flips");
    const pick = <T>(items: readonly T[]): T => items[random.below(items.length)];
    for (let flip = 0; flip < FLIPS; flip++) {
      const [named, damaged] = [
        (): [string, Archive] => {
          const [id, { key, bytes }] = pick(all);
          const wrong = { key, bytes: flipped(bytes, random) };
          const headers = async function* (): AsyncGenerator<typeof wrong> {
            for await (const header of source.headers()) yield header.key === key ? wrong : header;
          };
          return [id, { ...source, headers }];
        },
        (): [string, Archive] => {
          const { id, header } = pick(trained);
          const cid = header.delta?.cid as Cid;
          const wrong = flipped(ledger.blocks.get(cid) as Uint8Array, random);
          return [id, { ...source, block: async (each) => (each === cid ? wrong : source.block(each)) }];
        },
        (): [string, Archive] => {
          const folder = pick(ledger.checkpoints);
          const [name, bytes] = pick([...folder.files]);
          const wrong = { ...folder, files: new Map([...folder.files, [name, flipped(bytes, random)]]) };
          const checkpoints = async function* (): AsyncGenerator<RawFolder> {
            for (const each of ledger.checkpoints) yield each === folder ? wrong : each;
          };
          return [`checkpoints/${folder.name}`, { ...source, checkpoints }];
        },
      ][flip % 3]();
      const { findings } = await check(damaged, { isHasty: true });
      expect(findings[0]?.subject, `flip ${flip}`).toBe(named);
    }
  });

  test("R8 a checkpoint whose seal was made to fit is found by its contents", async () => {
    const ledger = await nineRounds();
    const honest = ledger.checkpoints[0];
    const other = new Ledger();
    const last = await other.addRounds(["dan", "eve"], 9);
    const foreign = other.checkpoint(last[0].view, 4);
    for (const name of ["meta.json", "weights.bin"]) {
      const files = new Map([...honest.files, [name, foreign.files.get(name) as Uint8Array]]);
      const seal = JSON.parse(new TextDecoder().decode(honest.files.get("seal.json"))) as {
        files: { name: string }[];
      };
      const theirs = JSON.parse(new TextDecoder().decode(foreign.files.get("seal.json"))) as typeof seal;
      const mixed = seal.files.map((file) =>
        file.name === name ? theirs.files.find((each) => each.name === name) : file,
      );
      files.set("seal.json", textBytes(JSON.stringify({ files: mixed })));
      ledger.checkpoints[0] = { ...honest, files };
      const { findings } = await check(ledger.archive("ann"));
      expect(findings.map(({ subject }) => subject)).toEqual([`checkpoints/${honest.name}`]);
    }
    // Sound in itself, but of a history that never was.
    ledger.checkpoints[0] = foreign;
    const { findings } = await check(ledger.archive("ann"));
    expect(findings).toMatchObject([{ code: "CHECKPOINT_HISTORY", subject: `checkpoints/${foreign.name}` }]);
  });

  test("R8 a manifest that is not the run's ends the check with a finding", async () => {
    const ledger = await nineRounds();
    ledger.blocks.set(ledger.options.run, textBytes("something else"));
    const { findings } = await check(ledger.archive("ann"));
    expect(findings).toMatchObject([{ code: "MANIFEST", subject: ledger.options.run }]);
  });

  test("R8 data that is not the run's is found; what is not here is unchecked", async () => {
    const ledger = await nineRounds();
    const [record] = ledger.manifest.data as [Cid];
    for (const cid of [record, ledger.shard]) {
      expect((await check(without(ledger.archive("ann"), [cid]))).report).toMatchObject({
        findingsCount: 0,
        unchecked: { data: 1 },
      });
      const honest = ledger.blocks.get(cid) as Uint8Array;
      ledger.blocks.set(cid, textBytes("something else"));
      expect((await check(ledger.archive("ann"))).findings).toMatchObject([{ subject: cid }]);
      ledger.blocks.set(cid, honest);
    }
  });
});

describe("R8 lies that are signed", () => {
  const lie = digestOf(textBytes("a lie"));
  const lies: readonly [string, string, (h: UnsignedHeader) => UnsignedHeader][] = [
    ["a settled root that never was", "SETTLED_ROOT", (h) => withRoot(h, lie)],
    ["a start that is not its citations' fold", "START_ROOT", (h) => ({ ...h, start: lie })],
    [
      "a norm that is not its delta's",
      "DELTA_NORM",
      (h) => ({ ...h, delta: h.delta && { ...h.delta, norm: h.delta.norm + 1 } }),
    ],
    [
      "a size that is not its delta's",
      "BODY_TOO_LARGE",
      (h) => ({ ...h, delta: h.delta && { ...h.delta, bytes: h.delta.bytes - 1 } }),
    ],
  ];

  test.each(lies)("R8 %s is found and named", async (_, code, change) => {
    const ledger = new Ledger();
    const last = await ledger.addRounds(NAMES, 6);
    const honest = [await ledger.add("ann", last), await ledger.add("bob", last)];
    const liar = await ledger.add("cy", last, { change });
    await ledger.addRounds(["ann", "bob"], 3, honest);
    const { findings } = await check(ledger.archive("ann"));
    expect(findings.map((finding) => ({ code: finding.code, subject: finding.subject }))).toEqual([
      { code, subject: liar.id },
    ]);
  });

  test("R8 a header that misfits what it cites is found and named", async () => {
    const ledger = await nineRounds();
    const misfits: readonly [string, (h: UnsignedHeader) => UnsignedHeader][] = [
      ["HEADER_DATA", (h) => ({ ...h, work: { ...h.work, data: lie } })],
      ["HEADER_STATE", (h) => ({ ...h, work: { ...h.work, stateBefore: lie } })],
      ["HEADER_TOKENS", (h) => ({ ...h, work: { ...h.work, tokens: h.work.tokens + 1 } })],
      ["HEADER_OTHER_RUN", (h) => ({ ...h, run: cidOf(textBytes("another"), RAW) as RunId })],
    ];
    for (const [code, change] of misfits) {
      const { id } = await ledger.forge("ann", ledger.graph.round(8), { change });
      const { findings } = await check(ledger.archive("ann"));
      expect(findings).toMatchObject([{ code, subject: id }]);
      ledger.headers.delete(id);
    }
  });

  test("R8 a header that its author did not sign, and one in another's place, are found and named", async () => {
    const ledger = await nineRounds();
    const { header } = ledger.graph.round(8)[0];
    const { sig, ...unsigned } = header;
    const { id, bytes } = encodeHeader({ ...unsigned, start: lie }, sig);
    ledger.headers.set(id, { key: headerKey(0, 8, id), bytes });
    expect((await check(ledger.archive("ann"))).findings).toMatchObject([
      { code: "HEADER_SIGNATURE", subject: id },
    ]);
    ledger.headers.delete(id);
    const [moved] = ledger.graph.round(3);
    const { bytes: whole } = ledger.headers.get(moved.id) as { bytes: Uint8Array };
    ledger.headers.set(moved.id, { key: headerKey(0, 2, moved.id), bytes: whole });
    expect((await check(ledger.archive("ann"))).findings).toMatchObject([
      { code: "HEADER_PLACE", subject: moved.id },
    ]);
  });

  test("R8 headers that are lost, and their index, are missed", async () => {
    const ledger = await nineRounds();
    const [lost] = ledger.graph.round(4);
    const source = ledger.archive("ann");
    const headers = async function* (): ReturnType<Archive["headers"]> {
      for await (const header of source.headers()) if (!header.key.endsWith(lost.id)) yield header;
    };
    const { findings, report } = await check({ ...source, headers: () => headers() });
    expect(findings).toMatchObject([
      { code: "HEADER_INDEX", subject: lost.id },
      { code: "HEADER_MISSING", subject: lost.id },
    ]);
    expect(report.unchecked.headers).toBe(12);
    const places = async function* (): ReturnType<Archive["places"]> {
      for await (const place of source.places()) if (place.id !== lost.id) yield place;
    };
    expect((await check({ ...source, places: () => places() })).findings).toMatchObject([
      { code: "HEADER_INDEX", subject: lost.id },
    ]);
  });
});

function withRoot(h: UnsignedHeader, root: Digest): UnsignedHeader {
  const data = batchSeed(root, h.round, h.author);
  return { ...h, settled: { ...h.settled, root }, work: { ...h.work, data } };
}

describe("R8 what is not here", () => {
  test("R8 rounds after a pruned delta are unchecked, and those after the next checkpoint are checked", async () => {
    const ledger = await nineRounds();
    const pruned = ledger.graph.round(1).map(({ header }) => header.delta?.cid as Cid);
    const { report, findings } = await check(without(ledger.archive("ann"), pruned));
    expect(findings).toEqual([]);
    // Starts of rounds 2 to 6, and roots of rounds 5 and 6, need round 1; round 7 builds on the checkpoint of round 4.
    expect(report.unchecked).toEqual({ headers: 0, deltas: 3, claims: 5 * 3, checkpoints: 0, data: 0 });
    expect(report.checked).toMatchObject({ claims: 4 * 3, checkpoints: 2 });
    expect(report.settled?.round).toBe(6);
  });

  test("R8 without a checkpoint behind it, everything after a pruned delta is unchecked", async () => {
    const ledger = await nineRounds();
    ledger.checkpoints.splice(0, 1);
    const pruned = [ledger.graph.round(1)[0].header.delta?.cid as Cid];
    const { report, findings } = await check(without(ledger.archive("ann"), pruned));
    expect(findings).toEqual([]);
    expect(report).toMatchObject({ settled: null, unchecked: { deltas: 1, claims: 7 * 3, checkpoints: 1 } });
  });
});

describe("R8 histories that settled otherwise", () => {
  test("R8 are reported as such, and each is the true one to the node that is of it", async () => {
    const ledger = new Ledger();
    const start = await ledger.addRounds([...NAMES, "dan"], 3);
    const [left, right] = [start.slice(0, 2), start.slice(2)];
    await ledger.addRounds(["ann", "bob"], 7, left);
    await ledger.addRounds(["cy", "dan"], 9, right);
    const ofAnn = await check(ledger.archive("ann"));
    const ofDan = await check(ledger.archive("dan"));
    expect([ofAnn.findings, ofDan.findings]).toEqual([[], []]);
    expect([ofAnn.report.settled?.round, ofDan.report.settled?.round]).toEqual([7, 9]);
    // From the sixth round on, where the first round of the fork has settled.
    expect([ofAnn.report.otherHistories, ofDan.report.otherHistories]).toEqual([12, 8]);
    expect(ofAnn.report.uncheckedCount + ofDan.report.uncheckedCount).toBe(0);
  });
});

describe("R8 a check that goes on where the last one ended", () => {
  interface Memory {
    readonly kept: Map<number, Landmark>;
    readonly landmarks: (phase: number) => LandmarkStore;
  }

  /** A place for one landmark of each phase. */
  function memory(): Memory {
    const kept = new Map<number, Landmark>();
    const landmarks = (phase: number): LandmarkStore => ({
      save: async (landmark) => void kept.set(phase, { ...landmark, weights: landmark.weights.slice() }),
      load: async () => kept.get(phase),
    });
    return { kept, landmarks };
  }

  test("R8 checks only what is new, sees the same root, and finds old damage only from the start", async () => {
    const ledger = new Ledger();
    const last = await ledger.addRounds(NAMES, 9);
    const { kept, landmarks } = memory();
    expect((await check(ledger.archive("ann"), { landmarks })).report.fromRound).toBe(0);
    expect(kept.get(0)?.round).toBe(6);
    const tip = await ledger.addRounds(NAMES, 4, last);
    const second = await check(ledger.archive("ann"), { landmarks });
    expect(second.findings).toEqual([]);
    expect(second.report).toMatchObject({
      fromRound: 3,
      roundsChecked: 10,
      settled: ledger.settled(ledger.graph.view(13, tip), 10),
      checked: { headers: 39, claims: 7 * 3 },
      uncheckedCount: 0,
    });
    const cid = ledger.graph.round(1)[1].header.delta?.cid as Cid;
    ledger.blocks.set(cid, flipped(ledger.blocks.get(cid) as Uint8Array, new SeededRandom("old")));
    expect((await check(ledger.archive("ann"), { landmarks })).findings).toEqual([]);
    const whole = await check(ledger.archive("ann"), { landmarks, fromStart: true });
    expect(whole.findings).toMatchObject([{ subject: ledger.graph.round(1)[1].id }]);
  });

  test("R8 leaves no landmark where something is false, and uses none of another history", async () => {
    const ledger = await nineRounds();
    const { kept, landmarks } = memory();
    const cid = ledger.graph.round(1)[1].header.delta?.cid as Cid;
    const bytes = ledger.blocks.get(cid) as Uint8Array;
    ledger.blocks.set(cid, flipped(bytes, new SeededRandom("old")));
    await check(ledger.archive("ann"), { landmarks });
    expect(kept.size).toBe(0);
    ledger.blocks.set(cid, bytes);
    kept.set(0, { round: 5, root: digestOf(textBytes("elsewhere")), weights: ledger.facts.start });
    expect((await check(ledger.archive("ann"), { landmarks })).report).toMatchObject({
      fromRound: 0,
      findingsCount: 0,
    });
  });
});

/** Whole machines on a bad network in virtual time: whatever happens to messages, one history comes out of it. */
import { describe, expect, test } from "vitest";
import { type CodecSchedule, codecAt, openDelta } from "../../../src/codec/index.ts";
import { Flock, type FlockOptions } from "../../support/flock.ts";

const TOKENS_PER_NODE_ROUND = 5000;
const LENGTHS = [40, 24];
const BAD_NETWORK = { lossShare: 0.1, duplicateShare: 0.2, latencyMs: { min: 20, max: 1000 } };

/** Enough tokens for about this many rounds of everybody. */
function flockOf(options: FlockOptions, rounds: number): Flock {
  const tokensBudget = rounds * options.nodesCount * TOKENS_PER_NODE_ROUND;
  return new Flock({ ...options, limits: { tokensBudget } });
}

/** One root for each settled round, one end, nobody refused and nobody published twice in a round. */
function expectOneHistory(flock: Flock): void {
  const split = [...flock.settledRoots()].filter(([, roots]) => roots.size !== 1);
  expect(split).toEqual([]);
  expect(new Set(flock.up.map(({ finishedRound }) => finishedRound)).size).toBe(1);
  for (const { refusals, published, settledTwice, resyncs } of flock.nodes) {
    // What is far ahead of us is asked for again when we get there.
    expect(refusals.filter((code) => code !== "ROUND_AHEAD")).toEqual([]);
    expect(settledTwice).toEqual([]);
    // Who went over to another history may live a round again in it.
    const rounds = new Set(published.map(({ header }) => header.round));
    if (resyncs === 0) expect(rounds.size).toBe(published.length);
  }
  const [{ machine, finishedRound }] = flock.up;
  const closing = machine.view.included(machine.round - 1);
  expect(closing.length).toBeGreaterThan(0);
  expect(closing.every(({ header }) => header.delta === null)).toBe(true);
  expect([...flock.settledRoots().keys()]).toContain(finishedRound);
}

/** Rounds in whose settled set the node has a delta, as another node sees it. */
function roundsOf(flock: Flock, node: number): number[] {
  const { view, settled } = (flock.up.find(({ index }) => index !== node) ?? flock.nodes[node]).machine;
  const rounds = Array.from({ length: settled?.round ?? 0 }, (_, round) => round);
  return rounds.filter((round) =>
    view.included(round).some(({ header }) => header.author === flock.peer(node) && header.delta !== null),
  );
}

function seeds(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `seed ${i}`);
}

describe("a flock", () => {
  test.each([
    [1, 10],
    [2, 10],
    [4, 6],
    [16, 1],
  ])("F14: of %i settles on equal roots and ends in one round", (nodesCount, seedsCount) => {
    for (const seed of seeds(seedsCount)) {
      const flock = flockOf({ seed, nodesCount }, 10);
      flock.untilFinished();
      expectOneHistory(flock);
      expect(flock.up[0].finishedRound).toBeGreaterThanOrEqual(10);
      for (const { index } of flock.nodes) expect(roundsOf(flock, index).length).toBeGreaterThan(2);
    }
  });

  test("F14: loses a tenth of its messages, doubles and reorders them, and settles on equal roots", () => {
    for (const seed of seeds(10)) {
      const flock = flockOf({ seed, nodesCount: 4, ...BAD_NETWORK }, 8);
      flock.untilFinished();
      expectOneHistory(flock);
    }
  });

  test("F14: the same seed gives the same transcript, another seed another", () => {
    const transcriptOf = (seed: string): string => {
      const flock = flockOf({ seed, nodesCount: 4, ...BAD_NETWORK }, 4);
      flock.untilFinished();
      return flock.transcript();
    };
    expect(transcriptOf("one")).toBe(transcriptOf("one"));
    expect(transcriptOf("one")).not.toBe(transcriptOf("two"));
  });

  test("R1: under a schedule every node opens every delta with the settings of that delta's own history", () => {
    const perRound = 4 * TOKENS_PER_NODE_ROUND;
    const codec: CodecSchedule = [
      { fromTokens: 0, keepPerChunk: 4096, valueBits: 8 },
      { fromTokens: 1, keepPerChunk: 1024, valueBits: 4 },
      { fromTokens: 2 * perRound, keepPerChunk: 64, valueBits: 2 },
    ];
    for (const seed of seeds(4)) {
      const flock = flockOf({ seed, nodesCount: 4, ...BAD_NETWORK, shape: { codec, lengths: LENGTHS } }, 14);
      flock.untilRound(6);
      flock.crash(3);
      flock.untilRound(8);
      flock.join(3);
      flock.untilFinished();
      expectOneHistory(flock);
      const stages = new Set<number>();
      for (const { machine } of flock.nodes) {
        for (const { id, body } of flock.network.parcels.values()) {
          const contribution = machine.graph.get(id);
          if (contribution === undefined || body === null) continue;
          const settings = codecAt(codec, contribution.view.settledTokens());
          expect(openDelta(body.bytes, LENGTHS, settings).kind).toBe("accept");
          stages.add(settings.keepPerChunk);
        }
      }
      expect(stages).toEqual(new Set([4096, 1024, 64]));
    }
  });

  test("founders alone weigh at first; strangers get in by being cited", () => {
    for (const seed of seeds(4)) {
      const flock = flockOf({ seed, nodesCount: 4, foundersCount: 2 }, 8);
      flock.untilFinished();
      expectOneHistory(flock);
      expect(roundsOf(flock, 3).length).toBeGreaterThan(2);
    }
  });
});

describe("nobody is waited for", () => {
  const meanRoundMs = (flock: Flock): number => flock.agenda.nowMs / (flock.up[0].finishedRound ?? 0);

  test("a node that is five times slower is included and holds nobody up", () => {
    for (const seed of seeds(4)) {
      const even = flockOf({ seed, nodesCount: 4 }, 12);
      const uneven = flockOf({ seed, nodesCount: 4, slowness: (node) => (node === 3 ? 5 : 1) }, 12);
      for (const flock of [even, uneven]) {
        flock.untilFinished();
        expectOneHistory(flock);
      }
      expect(roundsOf(uneven, 3).length).toBeGreaterThanOrEqual(4);
      expect(meanRoundMs(uneven)).toBeLessThan(1.2 * meanRoundMs(even));
    }
  });

  test("a node that is ten times faster does not run away with the flock", () => {
    for (const seed of seeds(6)) {
      const flock = flockOf({ seed, nodesCount: 4, slowness: (node) => (node === 3 ? 0.1 : 1) }, 8);
      flock.untilFinished();
      expectOneHistory(flock);
      for (const node of [0, 1, 2]) expect(roundsOf(flock, node).length).toBeGreaterThanOrEqual(6);
    }
  });

  test("one that is heard by a fixed half only does not split the flock", () => {
    for (const seed of seeds(3)) {
      const lagMs = (author: number, to: number): number => (author === 0 && to >= 4 ? 3000 : 0);
      const flock = flockOf({ seed, nodesCount: 8, lagMs }, 10);
      flock.untilFinished();
      expectOneHistory(flock);
      expect(roundsOf(flock, 0).length).toBeGreaterThan(2);
    }
  });
});

describe("nodes come and go", () => {
  test("one crashes for good and the others go on", () => {
    for (const seed of seeds(6)) {
      const flock = flockOf({ seed, nodesCount: 4 }, 8);
      flock.untilRound(4);
      flock.crash(3);
      flock.untilFinished();
      expectOneHistory(flock);
      expect(Math.max(...roundsOf(flock, 3))).toBeLessThanOrEqual(5);
      expect(roundsOf(flock, 0).length).toBeGreaterThan(6);
    }
  });

  test("one crashes, comes back with its disk, publishes nothing twice and is included again", () => {
    for (const seed of seeds(10)) {
      const flock = flockOf({ seed, nodesCount: 4 }, 10);
      flock.untilRound(4);
      flock.crash(3);
      flock.untilRound(7);
      flock.join(3);
      flock.untilFinished();
      expectOneHistory(flock);
      expect(roundsOf(flock, 3).some((round) => round > 7)).toBe(true);
    }
  });

  test("all crash in the same moment and go on from their disks", () => {
    for (const seed of seeds(4)) {
      const flock = flockOf({ seed, nodesCount: 3 }, 8);
      flock.untilRound(5);
      for (const node of [0, 1, 2]) flock.crash(node);
      for (const node of [0, 1, 2]) flock.join(node);
      flock.untilFinished();
      expectOneHistory(flock);
    }
  });

  test.each([2, 3, 5])("one joins %i nodes at round 5 and is included by round 8", (nodesCount) => {
    for (const seed of seeds(6)) {
      const late = [nodesCount - 1];
      const flock = flockOf({ seed, nodesCount, late }, 10);
      flock.untilRound(5);
      flock.join(late[0]);
      flock.untilFinished();
      expectOneHistory(flock);
      expect(Math.min(...roundsOf(flock, late[0]))).toBeLessThanOrEqual(8);
    }
  });
});

describe("a partition", () => {
  const partitions: [name: string, groups: number[], slowness: number][] = [
    ["2|2", [0, 0, 1, 1], 1],
    ["3|1", [0, 0, 0, 1], 1],
    ["3|1 with a fast node alone", [0, 0, 0, 1], 0.3],
  ];
  test.each(partitions)(
    "F14: of %s for fewer rounds than settleDepth heals into one history",
    (_, groups, slowness) => {
      for (const seed of seeds(10)) {
        const flock = flockOf({ seed, nodesCount: 4, slowness: (node) => (node === 3 ? slowness : 1) }, 14);
        flock.untilRound(4);
        flock.part(groups);
        flock.untilRound(9, flock.nodes.slice(0, 1));
        flock.part();
        flock.untilFinished();
        expectOneHistory(flock);
        for (const { index } of flock.nodes)
          expect(roundsOf(flock, index).some((round) => round > 10)).toBe(true);
      }
    },
  );

  test.each([
    ["2|2", [0, 0, 1, 1], 1],
    ["2|2 at different speeds", [0, 0, 1, 1], 0.4],
    ["7|3", [0, 0, 0, 0, 0, 0, 0, 1, 1, 1], 1],
  ])(
    "R3 R5: of %s for much longer than settleDepth heals into the heavier history, and no work is lost",
    (_, groups, slowness) => {
      for (const seed of seeds(6)) {
        const nodesCount = groups.length;
        const settleDepth = 4;
        const options = {
          seed,
          nodesCount,
          rule: { settleDepth },
          slowness: (node: number) => (groups[node] === 1 ? slowness : 1),
        };
        const flock = flockOf(options, 40);
        flock.untilRound(6);
        flock.part(groups);
        flock.untilRound(
          16,
          flock.nodes.filter(({ index }) => groups[index] === 0),
        );
        const split = new Set(flock.nodes.map(({ settled }) => settled.get(10)));
        flock.part();
        flock.untilFinished();
        expectOneHistory(flock);
        // The lighter side went over, all of it; nobody of the other did.
        const went = flock.nodes.filter(({ resyncs }) => resyncs > 0).map(({ index }) => groups[index]);
        if (split.size > 1 && !split.has(undefined)) expect(new Set(went).size).toBe(1);
        for (const node of flock.nodes) expect(node.unaccounted().every((value) => value === 0)).toBe(true);
      }
    },
  );

  test("one alone goes on slowly, so that it is not ahead of the others when it comes back", () => {
    const flock = flockOf({ seed: "alone", nodesCount: 4, slowness: (node) => (node === 3 ? 0.3 : 1) }, 14);
    flock.untilRound(4);
    flock.part([0, 0, 0, 1]);
    flock.untilRound(10, flock.nodes.slice(0, 3));
    expect(flock.nodes[3].machine.round).toBeLessThan(8);
  });
});

test("R5 round 0 waits for startPeers authors, and a founder alone does not end it", () => {
  const flock = new Flock({
    seed: "one founder",
    nodesCount: 6,
    foundersCount: 1,
    slowness: (node) => (node === 0 ? 1 : 4),
  });
  flock.untilRound(3);
  for (const { machine } of flock.nodes) expect(machine.view.included(0).length).toBe(6);
});

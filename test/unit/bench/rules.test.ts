import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { SeededRandom } from "../../../src/core/index.ts";
import { stepsOf } from "../../../bench/rules/attendance.ts";
import type { Flock, Turn } from "../../../bench/rules/exchange.ts";
import { exchanges } from "../../../bench/rules/exchange/all.ts";
import { published } from "../../../bench/rules/publish.ts";
import { RULE_NAMES, type RuleName, type Settings, hashOf } from "../../../bench/rules/settings.ts";

const LENGTHS = [5000, 300];
const COUNT = 5300;
const settings: Settings = {
  rule: "starling",
  model: "small",
  peersCount: 10,
  seed: 1,
  stepsPerNode: 100,
  stepsPerRound: 10,
};

function flock(peersCount: number): Flock {
  const random = new SeededRandom("start");
  const start = Int32Array.from({ length: COUNT }, () => random.below(2 ** 24) - 2 ** 23);
  return { peersCount, start, lengths: LENGTHS, roundsCount: 10, seed: 1 };
}

/** Where a peer ends that moves every weight by up to 1/256. */
function turnOf(peer: number, start: Float32Array, seed: string): Turn {
  const random = new SeededRandom(`${seed}/${peer}`);
  return {
    peer,
    end: start.map((value) => value + (random.unit() - 0.5) / 128),
    tokens: 100,
    isHostile: false,
  };
}

const ones = new Set<RuleName>(["alone", "local", "average", "synchronous"]);
test.each(RULE_NAMES.filter((rule) => ones.has(rule)))(
  "E1: with one peer, %s ends where the peer ended",
  (rule) => {
    const exchange = exchanges[rule](flock(1), {});
    const turn = turnOf(0, exchange.startOf(0), "one");
    exchange.combine([turn]);
    expect(exchange.models()[0]).toEqual(turn.end);
  },
);

test("E1: DiLoCo without momentum at rate 1 is plain averaging", () => {
  const [plain, outer] = [
    exchanges.average(flock(4), {}),
    exchanges.diloco(flock(4), { outerRate: 1, outerMomentum: 0 }),
  ];
  const turns = [0, 1, 2, 3].map((peer) => turnOf(peer, plain.startOf(peer), "outer"));
  expect(plain.combine(turns)).toBe(outer.combine(turns));
  const [a, b] = [plain.models()[0] as Float32Array, outer.models()[0] as Float32Array];
  expect(Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number))))).toBeLessThan(1e-6);
});

test.each([
  ["sparseloco", { residualBeta: 1 }],
  ["starling", { codec: [{ fromShare: 0, keepPerChunk: 64, valueBits: 2 }] }],
] as const)("E1: %s sends later what it did not send at once", (rule, options) => {
  const exchange = exchanges[rule](flock(2), options);
  const start = exchange.startOf(0).slice();
  const turns = [0, 1].map((peer) => turnOf(peer, start, "residual"));
  const target = turns.map(({ end }) => end).reduce((a, b) => a.map((x, i) => (x + (b[i] as number)) / 2));
  const distance = (): number => {
    const model = exchange.models()[0] as Float32Array;
    return Math.hypot(...model.map((x, i) => x - (target[i] as number)));
  };
  const distances = [distance()];
  let bytes = exchange.combine(turns);
  distances.push(distance());
  // Nobody learns any more: what comes now is the residual alone.
  for (let round = 0; round < 150; round++)
    bytes = exchange.combine(
      [0, 1].map((peer) => ({
        peer,
        end: exchange.startOf(peer).slice(),
        tokens: 1,
        isHostile: false,
      })),
    );
  distances.push(distance());
  expect(bytes).toBeGreaterThan(0);
  expect(distances[1]).toBeLessThan(distances[0] as number);
  expect(distances[2]).toBeLessThan((distances[0] as number) / 10);
});

test("E1: NoLoCo's peers keep models of their own, and a pair draws together", async () => {
  const exchange = exchanges.noloco(flock(2), {});
  const turns = [0, 1].map((peer) => turnOf(peer, exchange.startOf(peer), "pair"));
  const learned = turns.map(({ end }) => end.slice());
  exchange.combine(turns);
  const apart = (a: Float32Array, b: Float32Array): number =>
    Math.hypot(...a.map((x, i) => x - (b[i] as number)));
  const [a, b] = exchange.models() as [Float32Array, Float32Array];
  expect(apart(a, b)).toBeLessThan(apart(learned[0] as Float32Array, learned[1] as Float32Array));
});

test("E3: attendance keeps its shares", () => {
  const away = Array.from({ length: 10 }, (_, round) =>
    stepsOf({ ...settings, attendance: { dropShare: 0.3 } }, round),
  );
  for (const steps of away) expect(steps.filter((count) => count === 0)).toHaveLength(3);
  expect(new Set(away.map(String)).size).toBeGreaterThan(1);

  const speeds = stepsOf({ ...settings, attendance: { speedRatio: 10 } }, 0);
  expect(speeds.reduce((x, y) => x + y)).toBe(100);
  expect((speeds.at(-1) as number) / (speeds[0] as number)).toBeGreaterThan(8);

  const late = { ...settings, attendance: { lateCount: 3, earlyCount: 2 } };
  expect(stepsOf(late, 4).map(Boolean).filter(Boolean)).toHaveLength(7);
  expect(stepsOf(late, 5).map(Boolean).filter(Boolean)).toHaveLength(8);
});

test("E1: a row's name is that of its settings, in whatever order they are written", () => {
  const { rule, ...rest } = settings;
  expect(hashOf({ ...rest, rule })).toBe(hashOf(settings));
  expect(hashOf({ ...settings, seed: 2 })).not.toBe(hashOf(settings));
});

test("E1: tables and curves are those of the stored rows", async () => {
  for (const [path, text] of await published()) expect(await readFile(path, "utf8"), path).toBe(text);
});

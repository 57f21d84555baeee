/** P2: growth keeps what the model says, breaks its symmetry, and is the same on every machine. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ONE, SeededRandom, fromFixed, toFixed } from "../../../src/core/index.ts";
import {
  type GrowthRule,
  type ModelConfig,
  growWeights,
  growthObstacles,
  initialWeights,
  modelPresets,
  parametersCount,
} from "../../../src/trainer/index.ts";
import { growMatrix } from "../../../src/trainer/growth/matrix.ts";
import { growthSources } from "../../../src/trainer/growth/sources.ts";
import { tensorViews } from "../../../src/trainer/model/tensors.ts";
import { batchOf, startEngine } from "../../support/trainer/models.ts";

const EXACT: GrowthRule = { depth: "identity" };
const B = 4;
const { tiny } = modelPresets;

/** Weights after some training, so that norms, embeddings and outputs are no longer what they were drawn as. */
async function trained(model: ModelConfig, weights: Int32Array, steps = 40): Promise<Int32Array> {
  const engine = await startEngine({ model, sequences: B });
  engine.state.weights.set(Float32Array.from(weights, fromFixed));
  await engine.load();
  for (let step = 0; step < steps; step++) await engine.step(batchOf(model, B, step), 1e-2);
  await engine.sync();
  const after = Int32Array.from(engine.state.weights, toFixed);
  await engine.close();
  return after;
}

/** Logits of what follows each of some beginnings of a text, (beginnings * V,). */
async function logitsOf(model: ModelConfig, weights: Int32Array): Promise<number[]> {
  const engine = await startEngine({ model, sequences: B });
  const floats = Float32Array.from(weights, fromFixed);
  const text = batchOf(tiny, 1, 7);
  const logits: number[] = [];
  for (const length of [1, 2, 9, 32])
    logits.push(...(await engine.nextLogits(text.slice(0, length), floats)));
  await engine.close();
  return logits;
}

function furthest(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((x, i) => Math.abs(x - (b[i] as number))));
}

const mqa: ModelConfig = { ...tiny, headsCount: 2, kvHeadsCount: 1 };
const untied: ModelConfig = { ...tiny, tiedHead: false };

const growths: readonly (readonly [string, ModelConfig, ModelConfig])[] = [
  [
    "twice the width",
    tiny,
    { ...tiny, hiddenSize: 64, headsCount: 8, kvHeadsCount: 4, intermediateSize: 128 },
  ],
  ["three times the width", tiny, { ...tiny, hiddenSize: 96, headsCount: 12, kvHeadsCount: 6 }],
  ["more heads for the same keys", tiny, { ...tiny, hiddenSize: 64, headsCount: 8, kvHeadsCount: 2 }],
  ["from one key head to many", mqa, { ...mqa, hiddenSize: 128, headsCount: 8, kvHeadsCount: 4 }],
  ["keys of their own for every query", tiny, { ...tiny, kvHeadsCount: 4 }],
  ["a few more MLP units", tiny, { ...tiny, intermediateSize: 75 }],
  ["more layers", tiny, { ...tiny, layersCount: 5 }],
  ["a longer context", tiny, { ...tiny, contextLength: 48 }],
  ["a head of its own", untied, { ...untied, hiddenSize: 64, headsCount: 8, kvHeadsCount: 4 }],
  [
    "all at once",
    tiny,
    {
      ...tiny,
      hiddenSize: 64,
      headsCount: 8,
      kvHeadsCount: 4,
      intermediateSize: 176,
      layersCount: 3,
      contextLength: 64,
    },
  ],
];

describe.for(growths)("P2: growth to %s", ([, from, to]) => {
  test("keeps the logits within 1e-4", async () => {
    expect(growthObstacles(from, to)).toEqual([]);
    const weights = await trained(from, initialWeights(from, "1"));
    const before = await logitsOf(from, weights);
    const after = await logitsOf(to, growWeights(weights, { from, to, rule: EXACT, seed: "seed" }));
    expect(Math.max(...before) - Math.min(...before)).toBeGreaterThan(3); // It has learned something to keep.
    expect(furthest(before, after)).toBeLessThan(1e-4);
  });
});

test("P2: no two copies stay alike: after some steps every duplicated channel, head and unit is its own", async () => {
  const to = { ...tiny, hiddenSize: 64, headsCount: 8, kvHeadsCount: 4, intermediateSize: 128 };
  const grown = growWeights(initialWeights(tiny, "1"), { from: tiny, to, rule: EXACT, seed: "seed" });
  const after = tensorViews(to, await trained(to, grown, 8));
  const before = tensorViews(to, grown);
  const sources = growthSources(tiny, to);
  // Columns of the embedding are copies of channels, rows of the others those of heads and of units.
  for (const [name, copies] of [
    ["self_attn.q_proj", sources.queries],
    ["self_attn.k_proj", sources.keys],
    ["self_attn.v_proj", sources.keys],
    ["mlp.gate_proj", sources.units],
  ] as const) {
    const rows = rowsOf(after.get(`model.layers.0.${name}.weight`) as Int32Array, to.hiddenSize);
    for (const [a, b] of pairsOf(copies)) expect(rows[a]).not.toEqual(rows[b]);
  }
  const [channelsBefore, channelsAfter] = [before, after].map((views) =>
    columnsOf(views.get("model.embed_tokens.weight") as Int32Array, to.hiddenSize),
  ) as [number[][], number[][]];
  for (const [a, b] of pairsOf(sources.hidden)) {
    expect(channelsBefore[a]).toEqual(channelsBefore[b]);
    expect(channelsAfter[a]).not.toEqual(channelsAfter[b]);
  }
});

test("P2: new layers learn: their zero outputs are not zero after one step", async () => {
  const to = { ...tiny, layersCount: 4 };
  const grown = growWeights(initialWeights(tiny, "1"), { from: tiny, to, rule: EXACT, seed: "seed" });
  const output = "model.layers.1.mlp.down_proj.weight";
  expect((tensorViews(to, grown).get(output) as Int32Array).every((x) => x === 0)).toBe(true);
  const after = tensorViews(to, await trained(to, grown, 1)).get(output) as Int32Array;
  expect(after.filter((x) => x !== 0).length).toBeGreaterThan(after.length / 2);
});

test("P2: stacking repeats the list of layers, and says so by other logits", async () => {
  const to = { ...tiny, layersCount: 4 };
  const weights = await trained(tiny, initialWeights(tiny, "1"));
  const grown = growWeights(weights, { from: tiny, to, rule: { depth: "stack" }, seed: "seed" });
  const [old, views] = [tensorViews(tiny, weights), tensorViews(to, grown)];
  for (const layer of [0, 1, 2, 3]) {
    const name = (at: number): string => `model.layers.${at}.self_attn.o_proj.weight`;
    expect(views.get(name(layer))).toEqual(old.get(name(layer % 2)));
  }
  expect(furthest(await logitsOf(tiny, weights), await logitsOf(to, grown))).toBeGreaterThan(1e-2);
});

test("P2: the parts of a split weight sum to it exactly, whatever it is", () => {
  const weight = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.constantFrom(0, 1, -1, ONE));
  const property = fc.property(
    fc.array(weight, { minLength: 6, maxLength: 6 }),
    fc.integer({ min: 3, max: 40 }),
    fc.string(),
    (values, width, seed) => {
      const columns = Int32Array.from({ length: width }, (_, i) => i % 3);
      const target = new Int32Array(3 * width);
      const shape = { rows: Int32Array.of(0, 1, 0), columns, isSplit: true };
      growMatrix(Int32Array.from(values), target, shape, new SeededRandom(seed));
      for (const [row, source] of [0, 1, 0].entries()) {
        for (let i = 0; i < 3; i++) {
          const parts = [...target.subarray(row * width, (row + 1) * width)].filter((_, at) => at % 3 === i);
          expect(parts.reduce((a, b) => a + b, 0)).toBe(values[source * 3 + i]);
        }
      }
    },
  );
  fc.assert(property, { numRuns: 200 });
});

test("P2: another seed splits otherwise, the same seed not; what grows into itself stays as it is", () => {
  const to = { ...tiny, hiddenSize: 64, headsCount: 8 };
  const weights = initialWeights(tiny, "1");
  const grow = (seed: string): Int32Array => growWeights(weights, { from: tiny, to, rule: EXACT, seed });
  expect(grow("a")).toEqual(grow("a"));
  expect(grow("a")).not.toEqual(grow("b"));
  expect(growWeights(weights, { from: tiny, to: tiny, rule: EXACT, seed: "a" })).toEqual(weights);
  expect(grow("a").length).toBe(parametersCount(to));
});

test.each([
  [
    "a hidden size that is no multiple",
    { hiddenSize: 48, headsCount: 6 },
    /hiddenSize a multiple of 32, got 48/,
  ],
  ["fewer layers", { layersCount: 1 }, /layersCount of at least 2, got 1/],
  ["fewer MLP units", { intermediateSize: 63 }, /intermediateSize of at least 64, got 63/],
  ["another head size", { headsCount: 2 }, /hiddenSize \/ headsCount 8 as before, got 16/],
  ["another vocabulary", { vocabSize: 512 }, /vocabSize 256 as before, got 512/],
  ["fewer keys", { kvHeadsCount: 1 }, /kvHeadsCount a multiple of 2, got 1/],
  ["an untied head", { tiedHead: false }, /tiedHead true as before, got false/],
] as const)("P1: %s can't be grown into, and the obstacle says why", (_, change, message) => {
  expect(growthObstacles(tiny, { ...tiny, ...change }).join("; ")).toMatch(message);
});

function rowsOf(matrix: Int32Array, width: number): number[][] {
  return Array.from({ length: matrix.length / width }, (_, i) => [
    ...matrix.subarray(i * width, (i + 1) * width),
  ]);
}

function columnsOf(matrix: Int32Array, width: number): number[][] {
  const rows = rowsOf(matrix, width);
  return Array.from({ length: width }, (_, column) => rows.map((row) => row[column] as number));
}

/** Pairs of neighbouring copies of one source. */
function pairsOf(sources: Int32Array): [number, number][] {
  const lastOf = new Map<number, number>();
  const pairs: [number, number][] = [];
  sources.forEach((source, at) => {
    const last = lastOf.get(source);
    if (last !== undefined) pairs.push([last, at]);
    lastOf.set(source, at);
  });
  return pairs;
}

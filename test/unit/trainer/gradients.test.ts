/**
 * Every gradient rule against central differences. The loss is a fixed random weighting of the outputs, summed in
 * float64, so that only the runtime's own float32 rounding is in the difference.
 */
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../../../src/core/index.ts";
import * as arithmetic from "../../../src/trainer/graph/arithmetic.ts";
import { differentiate } from "../../../src/trainer/graph/differentiate.ts";
import * as layout from "../../../src/trainer/graph/layout.ts";
import { recomputed } from "../../../src/trainer/graph/order.ts";
import { vocabularyLoss } from "../../../src/trainer/graph/vocabulary-loss.ts";
import * as neural from "../../../src/trainer/graph/neural.ts";
import { OnnxModel } from "../../../src/trainer/graph/onnx-schema.ts";
import { writeOnnx } from "../../../src/trainer/graph/onnx-writer.ts";
import * as products from "../../../src/trainer/graph/products.ts";
import {
  constant,
  input,
  scalar,
  sizeOf,
  type Shape,
  type Tensor,
} from "../../../src/trainer/graph/tensor.ts";
import {
  compileGradients,
  modelPresets,
  modelTensors,
  type ModelConfig,
} from "../../../src/trainer/index.ts";
import { gradientProgram } from "../../../src/trainer/model/programs.ts";
import { tensorViews } from "../../../src/trainer/model/tensors.ts";
import { compile } from "../../support/trainer/run-graph.ts";
import { batchOf, floatWeights } from "../../support/trainer/models.ts";

const { reshape, transpose } = layout;
const { gemm, matmul } = products;

const EPSILON = 1e-2;
/** Central differences err by about epsilon^2 / 6 and by float32's 1e-7 / epsilon. */
const TOLERANCE = 2e-3;
const SEED = "gradients-1";

interface Case {
  readonly shapes: readonly Shape[];
  readonly f: (...inputs: Tensor[]) => Tensor;
  /** Keeps square roots and divisors away from 0. */
  readonly positive?: boolean;
}

const indices = constant(Int32Array.of(2, 0, 2, 1), [4]);
const manyIndices = constant(Int32Array.of(1500, 0, 1500, 7), [4]);
const attentionMask = constant(Float32Array.of(0, -9, -9, -9, 0, 0, -9, -9, 0, 0, 0, -9), [3, 4]);
const tables = neural.ropeTables({ contextLength: 3, headSize: 4, theta: 10, scale: 0.5 });

const cases: Record<string, Case> = {
  add: { shapes: [[2, 3], [3]], f: arithmetic.add },
  sub: {
    shapes: [
      [2, 3],
      [2, 1],
    ],
    f: arithmetic.sub,
  },
  mul: {
    shapes: [
      [2, 3],
      [1, 3],
    ],
    f: arithmetic.mul,
  },
  "mul of a tensor with itself": { shapes: [[5]], f: (x) => arithmetic.mul(x, x) },
  div: { shapes: [[2, 3], [3]], f: arithmetic.div, positive: true },
  sqrt: { shapes: [[6]], f: arithmetic.sqrt, positive: true },
  exp: { shapes: [[6]], f: arithmetic.exp },
  sigmoid: { shapes: [[6]], f: arithmetic.sigmoid },
  reduceSum: { shapes: [[2, 3, 2]], f: (x) => arithmetic.reduceSum(x, [0, 2]) },
  reduceMean: { shapes: [[2, 3]], f: (x) => arithmetic.reduceMean(x, [1]) },
  meanOfAll: { shapes: [[2, 3]], f: (x) => arithmetic.meanOfAll(x) },
  reshape: { shapes: [[2, 6]], f: (x) => reshape(x, [3, 4]) },
  transpose: { shapes: [[2, 3, 4]], f: (x) => transpose(x, [2, 0, 1]) },
  identity: { shapes: [[2, 3]], f: (x) => layout.identity(x) },
  flip: { shapes: [[2, 3, 4]], f: (x) => products.flip(x) },
  gemm: {
    shapes: [
      [2, 3],
      [3, 4],
    ],
    f: (a, b) => gemm(a, b),
  },
  "gemm, a transposed": {
    shapes: [
      [3, 2],
      [3, 4],
    ],
    f: (a, b) => gemm(a, b, { a: true }),
  },
  "gemm, b transposed": {
    shapes: [
      [2, 3],
      [4, 3],
    ],
    f: (a, b) => gemm(a, b, { b: true }),
  },
  "gemm, both transposed": {
    shapes: [
      [3, 2],
      [4, 3],
    ],
    f: (a, b) => gemm(a, b, { a: true, b: true }),
  },
  matmul: {
    shapes: [
      [2, 3, 2],
      [2, 2, 4],
    ],
    f: matmul,
  },
  rmsNorm: { shapes: [[3, 4], [4]], f: (x, w) => neural.rmsNorm(x, w, 1e-5), positive: true },
  swiGlu: {
    shapes: [
      [2, 3],
      [2, 3],
    ],
    f: neural.swiGlu,
  },
  rope: { shapes: [[2, 2, 3, 4]], f: (x) => neural.rope(x, tables) },
  "gatherRows by one-hot product": { shapes: [[3, 2]], f: (table) => neural.gatherRows(table, indices) },
  "gatherRows by scattering": { shapes: [[1600, 2]], f: (table) => neural.gatherRows(table, manyIndices) },
  attend: {
    shapes: [
      [2, 1, 3, 2],
      [2, 1, 4, 2],
      [2, 1, 4, 2],
    ],
    f: (q, k, v) => neural.attend(q, k, v, (scores) => arithmetic.add(scores, attentionMask)),
  },
  vocabularyLoss: {
    shapes: [
      [4, 2],
      [3, 2],
    ],
    f: (hidden, head) =>
      vocabularyLoss(hidden, head, { targets: indices, rowsPerChunk: 4, withGradient: true }),
  },
  "vocabularyLoss in chunks": {
    shapes: [
      [4, 2],
      [3, 2],
    ],
    f: (hidden, head) =>
      vocabularyLoss(hidden, head, { targets: indices, rowsPerChunk: 3, withGradient: true }),
  },
  recomputed: {
    shapes: [
      [3, 4],
      [2, 4],
    ],
    f: (x, w) =>
      recomputed([x, w], ([rows, weight]) =>
        products.gemm(arithmetic.mul(rows as Tensor, rows as Tensor), weight as Tensor, { b: true }),
      ),
  },
};

/** Functions of the graph's operator modules through which no gradient flows, or which make no tensor. */
const WITHOUT_GRADIENT: readonly string[] = [
  "and",
  "concat",
  "less",
  "min",
  "ropeTables",
  "slice",
  "sumOfSquares",
  "sumOfSquaresOver",
  "where",
];

/** The names of ONNX's operators in a program. */
function operatorsOf(program: Uint8Array): Set<string> {
  const { graph } = OnnxModel.toObject(OnnxModel.decode(program)) as {
    graph: { node: { opType: string }[] };
  };
  return new Set(graph.node.map(({ opType }) => opType));
}

function stageCase({ shapes, f }: Case): { inputs: Tensor[]; output: Tensor } {
  const inputs = shapes.map((shape, i) => input(`x${i}`, "float32", shape));
  return { inputs, output: f(...inputs) };
}

describe("T1: no operator is without a test of its gradient", () => {
  test("every function of the operator modules has a case below, or is known to have no gradient", () => {
    const tested = new Set(Object.keys(cases).map((name) => name.split(/[ ,]/)[0]));
    const functions = Object.entries({ ...arithmetic, ...layout, ...neural, ...products });
    const names = functions.filter(([, value]) => typeof value === "function").map(([name]) => name);
    expect(names.filter((name) => !tested.has(name) && !WITHOUT_GRADIENT.includes(name))).toEqual([]);
    expect(WITHOUT_GRADIENT.filter((name) => !names.includes(name))).toEqual([]);
  });

  test("every operator in the graph of a model's loss and gradients is in some case's graph", () => {
    const tested = new Set(["Slice"]); // only of tokens, which have no gradient
    for (const each of Object.values(cases)) {
      const { inputs, output } = stageCase(each);
      const gradients = differentiate(arithmetic.meanOfAll(output), inputs);
      const outputs = Object.fromEntries(gradients.map((tensor, i) => [`gradient${i}`, tensor]));
      for (const name of operatorsOf(writeOnnx(inputs, { ...outputs, output }))) tested.add(name);
    }
    const model: ModelConfig = { ...modelPresets.tiny, vocabSize: 2000, tiedHead: false };
    for (const c of [modelPresets.tiny, model]) {
      const inGraph = [...operatorsOf(gradientProgram(c, { sequences: 2, recomputesLayers: true }))];
      expect(inGraph.filter((name) => !tested.has(name))).toEqual([]);
      expect(inGraph.length).toBeGreaterThan(10);
    }
  });
});

describe("T1 F15: gradient rules against central differences", () => {
  test.for(Object.entries(cases))("%s", async ([name, each]) => {
    const { shapes, positive = false } = each;
    const random = new SeededRandom(`${SEED}/${name}`);
    const draw = (shape: Shape): Float32Array =>
      Float32Array.from({ length: sizeOf(shape) }, () => random.unit() * 1.5 + (positive ? 0.5 : -0.75));
    const { inputs, output } = stageCase(each);
    const weighting = draw(output.shape);
    const total = arithmetic.mul(
      arithmetic.meanOfAll(arithmetic.mul(output, constant(weighting, output.shape))),
      scalar(sizeOf(output.shape)),
    );
    const graph = await compile(inputs, [output, ...differentiate(total, inputs)]);
    const values = shapes.map(draw);
    const gradients = (await graph.run(values)).slice(1);
    const lossAt = async (moved: readonly Float32Array[]): Promise<number> =>
      ((await graph.run(moved))[0] as Float32Array).reduce(
        (sum, y, i) => sum + y * (weighting[i] as number),
        0,
      );

    for (const [i, value] of values.entries()) {
      // At most 24 coordinates of each input, the touched rows first.
      for (let at = 0; at < Math.min(value.length, 24); at++) {
        const difference = async (step: number): Promise<number> => {
          const moved = values.map((v) => Float32Array.from(v));
          (moved[i] as Float32Array)[at] = (value[at] as number) + step;
          return lossAt(moved);
        };
        const numeric = ((await difference(EPSILON)) - (await difference(-EPSILON))) / (2 * EPSILON);
        const analytic = (gradients[i] as Float32Array)[at] as number;
        const scale = Math.max(1, Math.abs(numeric));
        expect(
          Math.abs(numeric - analytic) / scale,
          `${name}: input ${i} at ${at}, seed ${SEED}`,
        ).toBeLessThan(TOLERANCE);
      }
    }
    await graph.close();
  });

  test("a parameter that the loss does not depend on has gradient 0", async () => {
    const x = input("x", "float32", [2]);
    const unused = input("unused", "float32", [3]);
    const [gradient] = differentiate(arithmetic.meanOfAll(x), [unused]);
    const graph = await compile([x, unused], [gradient as Tensor]);
    expect(await graph.run([Float32Array.of(1, 2), Float32Array.of(3, 4, 5)])).toEqual([new Float32Array(3)]);
    await graph.close();
  });
});

describe("T1 F15: gradients of whole models against central differences", () => {
  const tiny = modelPresets.tiny;
  const models: Record<string, ModelConfig> = {
    "tiny, tied head, grouped queries": tiny,
    "untied head, one head of keys": { ...tiny, tiedHead: false, kvHeadsCount: 1 },
    "a key head for every query head": { ...tiny, kvHeadsCount: 4, layersCount: 1 },
  };

  test.for(Object.entries(models))("%s", async ([name, model]) => {
    const sequences = 2;
    const gradients = await compileGradients({ model, sequences, threads: 1 });
    const tokens = batchOf(model, sequences, 0);
    const random = new SeededRandom(`${SEED}/${name}`);
    // Larger than initial weights, so that attention is far from uniform and every path carries gradient.
    const weights = floatWeights(model, "w").map((w) => (w === 1 ? 0.8 + 0.4 * random.unit() : 8 * w));
    const { gradient } = await gradients.run(weights, tokens);
    const parts = tensorViews(model, gradient);
    for (const spec of modelTensors(model)) {
      // Along the gradient and along a random direction: the slope must be <gradient, direction>.
      const g = parts.get(spec.name) as Float32Array;
      const along = unit(g);
      const mixed = unit(along.map((x) => x + (2 * random.unit() - 1) / Math.sqrt(g.length)));
      for (const direction of [along, mixed]) {
        const expected = dot(g, direction);
        const epsilon = Math.min(0.05, 2e-3 / Math.abs(expected));
        const lossAt = async (step: number): Promise<number> => {
          const moved = Float32Array.from(weights);
          const part = tensorViews(model, moved).get(spec.name) as Float32Array;
          direction.forEach((d, i) => (part[i] = (part[i] as number) + step * d));
          return (await gradients.run(moved, tokens)).lossNats;
        };
        const slope = ((await lossAt(epsilon)) - (await lossAt(-epsilon))) / (2 * epsilon);
        const error = Math.abs(slope - expected) / Math.abs(expected);
        expect(error, `${spec.name}: slope ${slope}, expected ${expected}, seed ${SEED}`).toBeLessThan(0.02);
      }
    }
    await gradients.close();
  });
});

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
}

function unit(a: Float32Array): Float32Array {
  const norm = Math.sqrt(dot(a, a));
  return a.map((x) => x / norm);
}

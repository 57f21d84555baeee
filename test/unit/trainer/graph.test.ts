import { expect, test } from "vitest";
import { adamW, stepScalars } from "../../../src/trainer/graph/adamw.ts";
import { add } from "../../../src/trainer/graph/arithmetic.ts";
import { reshape } from "../../../src/trainer/graph/layout.ts";
import { gemm } from "../../../src/trainer/graph/products.ts";
import { writeOnnx } from "../../../src/trainer/graph/onnx-writer.ts";
import { constant, input, scalar } from "../../../src/trainer/graph/tensor.ts";
import { topologicalOrder } from "../../../src/trainer/graph/topological.ts";
import { compile } from "../../support/trainer/run-graph.ts";

test("topologicalOrder puts dependencies first, each once, and a chain of 100,000 does not overflow the stack", () => {
  interface Item {
    readonly from: readonly Item[];
  }
  let last: Item = { from: [] };
  for (let i = 0; i < 100_000; i++) last = { from: [last, last] };
  const order = topologicalOrder([last, last], (item) => item.from);
  expect(order.length).toBe(100_001);
  const place = new Map(order.map((item, i) => [item, i]));
  const late = order.find((item, i) =>
    item.from.some((dependency) => (place.get(dependency) as number) >= i),
  );
  expect(late).toBeUndefined();
});

test("shapes that don't fit are refused when the graph is staged", () => {
  const a = input("a", "float32", [2, 3]);
  expect(() => gemm(a, a)).toThrow("gemm of [2,3] and [2,3]");
  expect(() => add(a, input("b", "float32", [2]))).toThrow("cannot broadcast [2,3] with [2]");
  expect(() => reshape(a, [4, 2])).toThrow("cannot reshape [2,3] to [4,2]");
  expect(() => constant(new Float32Array(3), [2])).toThrow("constant of shape [2] has 3 elements");
});

test("writeOnnx refuses a graph whose input is not declared", () => {
  const a = input("a", "float32", [2]);
  expect(() => writeOnnx([], { out: add(a, scalar(1)) })).toThrow("input a is not declared");
});

test("F15: AdamW in the graph equals the paper's formulas in float64, with clipping and decay", async () => {
  const o = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, gradientNormMax: 1 };
  const shape = [3];
  const inputs = ["weight", "moment1", "moment2", "gradient"].map((name) => input(name, "float32", shape));
  const scalars = ["stepSize", "epsilon", "shrink"].map((name) => input(name, "float32", []));
  const [weight, moment1, moment2, gradient] = inputs as [(typeof inputs)[0], never, never, never];
  const [stepSize, epsilon, shrink] = scalars as [(typeof inputs)[0], never, never];
  const parameters = [{ weight, moment1, moment2, gradient, decay: true }];
  const { gradientNorm, updated } = adamW(
    parameters,
    { stepSize, epsilon, shrink },
    { ...o, loss: scalar(1) },
  );
  const { weight: w1, moment1: m1, moment2: v1 } = updated[0] as (typeof updated)[0];
  const graph = await compile([...inputs, ...scalars], [gradientNorm, w1, m1, v1]);

  let state = [Float32Array.of(0.5, -1, 2), new Float32Array(3), new Float32Array(3)];
  const truth = { w: [0.5, -1, 2], m: [0, 0, 0], v: [0, 0, 0] };
  const gradients = [
    Float32Array.of(3, 0, -4),
    Float32Array.of(0.1, -0.2, 0.1),
    Float32Array.of(-0.3, 0.3, 1),
  ];
  for (const [i, g] of gradients.entries()) {
    const t = i + 1;
    const s = stepScalars(o, 0.01, t);
    const [norm, ...next] = await graph.run([
      ...state,
      g,
      Float32Array.of(s.stepSize),
      Float32Array.of(s.epsilon),
      Float32Array.of(s.shrink),
    ]);
    state = next as typeof state;
    const trueNorm = Math.hypot(...g);
    const clip = Math.min(1, o.gradientNormMax / trueNorm);
    for (let k = 0; k < 3; k++) {
      const gk = (g[k] as number) * clip;
      const mk = (truth.m[k] = 0.9 * (truth.m[k] as number) + 0.1 * gk);
      const vk = (truth.v[k] = 0.95 * (truth.v[k] as number) + 0.05 * gk * gk);
      const direction = mk / (1 - 0.9 ** t) / (Math.sqrt(vk / (1 - 0.95 ** t)) + 1e-8);
      truth.w[k] = (truth.w[k] as number) * (1 - 0.01 * 0.1) - 0.01 * direction;
    }
    expect((norm as Float32Array)[0]).toBeCloseTo(trueNorm, 5);
    [truth.w, truth.m, truth.v].forEach((expected, which) => {
      expected.forEach((x, k) => expect((state[which] as Float32Array)[k]).toBeCloseTo(x, 5));
    });
  }
  await graph.close();
});

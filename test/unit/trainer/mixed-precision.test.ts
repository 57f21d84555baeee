/**
 * Mixed precision as far as it can be shown without a device that has float16: the runtime's CPU kernels take the
 * roundings out again, so here the products are exact, and only what surrounds them is tested.
 */
import { expect, test } from "vitest";
import { OnnxModel } from "../../../src/trainer/graph/onnx-schema.ts";
import { LossScale } from "../../../src/trainer/engine/loss-scale.ts";
import { trainingProgram } from "../../../src/trainer/model/programs.ts";
import { createEngine, modelPresets } from "../../../src/trainer/index.ts";
import { batchOf, fingerprint, optimizer, startEngine } from "../../support/trainer/models.ts";

const model = modelPresets.tiny;
const B = 2;
const options = { model, sequences: B, home: "copied" } as const;

interface Node {
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly { readonly name: string; readonly i: unknown }[];
}

test("T5: with mixed precision every matrix product reads float16 and is read as float32; nothing else is", () => {
  const program = trainingProgram(model, optimizer, { sequences: B, mixedPrecision: true });
  const decoded = OnnxModel.toObject(OnnxModel.decode(program), { longs: Number, arrays: true });
  const { node } = (decoded as unknown as { graph: { node: readonly Node[] } }).graph;
  const castTo = (type: number): Node[] =>
    node.filter(({ opType, attribute }) => opType === "Cast" && attribute.some(({ i }) => i === type));
  const halves = new Set(castTo(10).flatMap(({ output }) => output));
  const products = node.filter(({ opType }) => opType === "Gemm" || opType === "MatMul");
  expect(products.length).toBeGreaterThan(40);
  for (const { input } of products) expect(input.every((name) => halves.has(name))).toBe(true);
  const results = new Set(products.flatMap(({ output }) => output));
  for (const { opType, input } of node) {
    if (input.some((name) => results.has(name))) expect(opType).toBe("Cast");
    if (input.some((name) => halves.has(name))) expect(["Gemm", "MatMul"]).toContain(opType);
  }
});

test("T5: scaling the loss by a power of two leaves steps as they are", async () => {
  const scaled = await startEngine({ ...options, mixedPrecision: true });
  const plain = await startEngine(options);
  for (let step = 0; step < 5; step++) {
    const tokens = batchOf(model, B, step);
    const { lossNats, gradientNorm, applied } = await scaled.step(tokens, 1e-3);
    const expected = await plain.step(tokens, 1e-3);
    expect(applied).toBe(true);
    expect(lossNats / expected.lossNats).toBeCloseTo(1, 5);
    expect(gradientNorm / expected.gradientNorm).toBeCloseTo(1, 4);
  }
  await scaled.close();
  await plain.close();
});

test("T5: a scale that overflows is halved until it does not, and the step is then what it would have been", async () => {
  const lossScale = new LossScale(2 ** 127);
  const scaled = await startEngine({ ...options, mixedPrecision: true, lossScale });
  const calm = await startEngine({ ...options, mixedPrecision: true });
  const tokens = batchOf(model, B, 0);
  // Weights that make gradients of more than 2: then 2^127 times these is no float32.
  for (const engine of [scaled, calm]) {
    engine.state.weights.forEach((w, i, all) => (all[i] = 8 * w));
    await engine.load();
  }
  const result = await scaled.step(tokens, 1e-3);
  expect(result.applied).toBe(true);
  expect(lossScale.value).toBeLessThan(2 ** 127);
  expect(result).toEqual(await calm.step(tokens, 1e-3));
  expect(fingerprint(scaled.state)).toEqual(fingerprint(calm.state));
  await scaled.close();
  await calm.close();
});

test("T5 T6: a step that is not finite at any scale is not applied", async () => {
  const lossScale = new LossScale(16);
  const scales: number[] = [];
  const result = await lossScale.run((scale) => {
    scales.push(scale);
    return Promise.resolve({ lossNats: NaN, gradientNorm: NaN, applied: false });
  });
  expect(result.applied).toBe(false);
  expect(scales).toEqual([16, 8, 4, 2, 1]);
});

test.for(["cpu", "tfjs"] as const)(
  "T5: the engine %s has no mixed precision, and says which have",
  async (engine) => {
    const o = { model, optimizer, sequences: B, threads: 1, mixedPrecision: true };
    await expect(createEngine({ ...o, engine })).rejects.toMatchObject({ code: "PRECISION_INVALID" });
  },
);

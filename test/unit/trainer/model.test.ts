import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { bytesOf, ONE } from "../../../src/core/index.ts";
import {
  initialWeights,
  modelConfigSchema,
  modelPresets,
  modelTensors,
  parametersCount,
  tensorLengths,
  type ModelConfig,
} from "../../../src/trainer/index.ts";
import { tensorViews } from "../../../src/trainer/model/tensors.ts";

const { tiny, flight } = modelPresets;

test("the presets are valid and of the size that they promise", () => {
  for (const preset of Object.values(modelPresets)) expect(modelConfigSchema.parse(preset)).toEqual(preset);
  expect(parametersCount(tiny)).toBeGreaterThan(20_000);
  expect(parametersCount(tiny)).toBeLessThan(50_000);
  expect(Math.abs(parametersCount(flight) / 1e6 - 1)).toBeLessThan(0.1);
});

test.for([
  [{ headsCount: 5 }, "expected headsCount to divide hiddenSize 32, got 5"],
  [{ kvHeadsCount: 3 }, "expected kvHeadsCount to divide headsCount 4, got 3"],
  [{ headsCount: 32, kvHeadsCount: 32 }, "expected an even hiddenSize / headsCount, got 32 / 32"],
  [
    { hiddenSize: 16_384, layersCount: 256, intermediateSize: 65_536 },
    "expected at most 2147483647 parameters, got 1030804750336",
  ],
] as const)("modelConfigSchema refuses %o with what it expected and what came", ([change, message]) => {
  const result = modelConfigSchema.safeParse({ ...tiny, ...change });
  expect(result.error?.issues.map((issue) => issue.message)).toContain(message);
});

test.for([{ hiddenSize: 0 }, { layersCount: 257 }, { vocabSize: 1 }, { ropeTheta: Infinity }, { extra: 1 }])(
  "modelConfigSchema refuses %o",
  (change) => expect(modelConfigSchema.safeParse({ ...tiny, ...change }).success).toBe(false),
);

test("the tensors' lengths add up to the count of parameters, tied or not", () => {
  for (const c of [tiny, flight, { ...tiny, tiedHead: false }] satisfies ModelConfig[]) {
    expect(tensorLengths(c).reduce((sum, length) => sum + length, 0)).toBe(parametersCount(c));
  }
  expect(modelTensors(tiny).some(({ name }) => name === "lm_head.weight")).toBe(false);
  expect(modelTensors({ ...tiny, tiedHead: false }).at(-1)?.name).toBe("lm_head.weight");
});

// The digest was computed by a second implementation, in Python, as well.
test("F15: initial weights are these bits on every machine", () => {
  const digest = createHash("sha256")
    .update(bytesOf(initialWeights(tiny, "golden")))
    .digest("hex");
  expect(digest).toBe("e5b2280865c0badefd3d1cf05e2b917239a9caf87b4156168fed0bdc3c8f76ba");
});

test("initial weights have mean 0 and the promised deviations, norms are 1, seeds differ", () => {
  const weights = initialWeights(flight, "statistics");
  const views = tensorViews(flight, weights);
  for (const { name, init } of modelTensors(flight)) {
    const values = [...(views.get(name) as Int32Array)].map((w) => w / ONE);
    const mean = values.reduce((sum, w) => sum + w, 0) / values.length;
    const std = Math.sqrt(values.reduce((sum, w) => sum + (w - mean) ** 2, 0) / values.length);
    const expected = { normal: 0.02, "scaled-normal": 0.02 / Math.sqrt(2 * flight.layersCount), ones: 0 }[
      init
    ];
    expect(Math.abs(mean - (init === "ones" ? 1 : 0)), name).toBeLessThan(expected * 0.04 + 1e-12);
    expect(Math.abs(std - expected), name).toBeLessThan(expected * 0.03 + 1e-12);
  }
  expect(initialWeights(tiny, "a")[0]).not.toBe(initialWeights(tiny, "b")[0]);
});

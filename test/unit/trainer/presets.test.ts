import { expect, test } from "vitest";
import { SHAPES } from "../../../src/cli/usage/options.ts";
import {
  modelConfigSchema,
  modelPresetNames,
  modelPresets,
  parametersCount,
} from "../../../src/trainer/index.ts";

test("T7: presets go from 0.1M to 1.3B, each valid, each larger than the one before", () => {
  const counts = modelPresetNames.map((name) => parametersCount(modelConfigSchema.parse(modelPresets[name])));
  expect(SHAPES).toEqual(modelPresetNames);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  expect(counts.some((count) => Math.abs(count / 1e5 - 1) < 0.1)).toBe(true);
  expect(counts.at(-1)).toBeGreaterThan(1.3e9);
});

/** What their makers and Hugging Face's pages say. */
test.each([
  ["stories-15m", 15_191_712],
  ["stories-110m", 109_529_856],
  ["smollm-135m", 134_515_008],
  ["smollm-360m", 361_821_120],
  ["tinyllama-1.1b", 1_100_048_384],
  ["sheared-llama-1.3b", 1_345_423_360],
] as const)("T7: %s has the %d parameters that were published", (name, parameters) => {
  expect(parametersCount(modelPresets[name])).toBe(parameters);
});

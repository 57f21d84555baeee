import { expect, test } from "vitest";
import { createEngine, modelPresets, supportedEngines } from "../../../src/trainer/index.ts";
import { restoreUtil } from "../../../src/trainer/engine/tfjs/load.ts";
import { optimizer } from "../../support/trainer/models.ts";

test("T3: what Node 23 removed from util is restored, and what is there stays", () => {
  const isArray = (): boolean => true;
  const util: Record<string, unknown> = { isArray };
  restoreUtil(util);
  expect(util.isArray).toBe(isArray);
  const { isNullOrUndefined, isString, isObject } = util as Record<string, (value: unknown) => boolean>;
  expect([undefined, null, 0, ""].map((value) => isNullOrUndefined?.(value))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(["", 0].map((value) => isString?.(value))).toEqual([true, false]);
  expect([{}, null, 1].map((value) => isObject?.(value))).toEqual([true, false, false]);
});

test.runIf(!supportedEngines().includes("tfjs"))(
  "T3: without TensorFlow.js the tfjs engine says what to install",
  async () => {
    const options = { model: modelPresets.tiny, optimizer, sequences: 1, threads: 1 };
    await expect(createEngine({ ...options, engine: "tfjs" })).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      message: expect.stringContaining("npm install --no-save @tensorflow/tfjs-node@4.22.0") as string,
    });
  },
);

/** What is special about the CPU engine; what all engines must do is in test/contract. */
import { expect, test } from "vitest";
import {
  createEngine,
  modelPresets,
  supportedEngines,
  type EngineName,
  type ModelConfig,
} from "../../../src/trainer/index.ts";
import { batchOf, fingerprint, optimizer, startEngine } from "../../support/trainer/models.ts";

const model = modelPresets.tiny;
const B = 4;
const LR = 5e-3;

test("F15: overfits one batch to less than 0.1 nats", async () => {
  const engine = await startEngine({ model, sequences: B });
  const tokens = batchOf(model, B, 0);
  for (let step = 0; step < 250; step++) await engine.step(tokens, LR);
  expect(await engine.evaluate(tokens)).toBeLessThan(0.1);
  await engine.close();
});

test("F15: updating in place equals the two-buffer version bit for bit", async () => {
  const inPlace = await startEngine({ model, home: "in-place", sequences: B });
  const copied = await startEngine({ model, home: "copied", sequences: B });
  for (let step = 0; step < 20; step++) {
    const tokens = batchOf(model, B, step);
    expect(await inPlace.step(tokens, LR)).toEqual(await copied.step(tokens, LR));
  }
  expect(fingerprint(inPlace.state)).toEqual(fingerprint(copied.state));
  await inPlace.close();
  await copied.close();
});

test("F15: steps are equal bit for bit at 1, 2 and 4 threads with 512 features and 2,048 tokens", async () => {
  const wide: ModelConfig = {
    ...model,
    contextLength: 128,
    hiddenSize: 512,
    layersCount: 1,
    headsCount: 8,
    kvHeadsCount: 4,
    intermediateSize: 512,
  };
  const sequences = 16;
  const results: Record<string, unknown>[] = [];
  for (const threads of [1, 2, 4]) {
    const engine = await startEngine({ model: wide, sequences, threads });
    for (let step = 0; step < 3; step++) await engine.step(batchOf(wide, sequences, step), LR);
    results.push(fingerprint(engine.state));
    await engine.close();
  }
  const [one, two, four] = results;
  expect(one).toMatchObject({ stepsCount: 3 });
  expect(two).toEqual(one);
  expect(four).toEqual(one);
});

test("the CPU engine is always supported, and an engine that can't start says which can", async () => {
  expect(supportedEngines()).toContain("cpu");
  const options = { model, optimizer, sequences: 1, threads: 1 };
  await expect(createEngine({ ...options, engine: "none" as EngineName })).rejects.toMatchObject({
    code: "ENGINE_UNAVAILABLE",
    message: expect.stringContaining("expected one of cpu") as string,
  });
});

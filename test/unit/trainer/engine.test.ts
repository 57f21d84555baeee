/** What every engine must do. The WebGPU part needs a device: it runs with STARLING_WEBGPU=1. */
import { describe, expect, test } from "vitest";
import { bytesOf, digestOf } from "../../../src/core/index.ts";
import {
  createEngine,
  modelPresets,
  parametersCount,
  supportedEngines,
  type Engine,
  type EngineName,
  type ModelConfig,
  type TrainingState,
} from "../../../src/trainer/index.ts";
import type { StateHome } from "../../../src/trainer/engine/state-values.ts";
import { batchOf, fingerprint, floatWeights, optimizer, startEngine } from "../../support/trainer/models.ts";

const model = modelPresets.tiny;
const B = 4;
const LR = 5e-3;

function copyOf(state: TrainingState): TrainingState {
  const { weights, moment1, moment2, stepsCount } = state;
  return { weights: weights.slice(), moment1: moment1.slice(), moment2: moment2.slice(), stepsCount };
}

async function restore(engine: Engine, from: TrainingState): Promise<void> {
  engine.state.weights.set(from.weights);
  engine.state.moment1.set(from.moment1);
  engine.state.moment2.set(from.moment2);
  engine.state.stepsCount = from.stepsCount;
  await engine.load();
}

const homes: readonly (readonly [EngineName, StateHome])[] = [
  ["cpu", "in-place"],
  ["cpu", "copied"],
  ...(process.env.STARLING_WEBGPU === "1" ? ([["webgpu", "on-device"]] as const) : []),
];

describe.for(homes)("F15: engine %s, state %s", ([name, home]) => {
  const start = (threads = 1): Promise<Engine> =>
    startEngine({ model, engine: name, home, sequences: B, threads });

  test("overfits one batch to less than 0.1 nats", async () => {
    const engine = await start();
    const tokens = batchOf(model, B, 0);
    for (let step = 0; step < 250; step++) await engine.step(tokens, LR);
    expect(await engine.evaluate(tokens)).toBeLessThan(0.1);
    await engine.close();
  });

  test("the first loss is that of a uniform guess, and evaluate equals the loss of the step to come", async () => {
    const engine = await start();
    const tokens = batchOf(model, B, 0);
    const before = await engine.evaluate(tokens);
    const { lossNats, gradientNorm, applied } = await engine.step(tokens, LR);
    expect(lossNats).toBeCloseTo(before, 5);
    expect(Math.abs(lossNats - Math.log(256))).toBeLessThan(0.1);
    expect(gradientNorm).toBeGreaterThan(0);
    expect(applied).toBe(true);
    await engine.close();
  });

  test("resuming from a copy of the state gives the identical next losses and weights", async () => {
    const engine = await start();
    for (let step = 0; step < 5; step++) await engine.step(batchOf(model, B, step), LR);
    await engine.sync();
    const saved = copyOf(engine.state);
    const resumed = await start();
    await restore(resumed, saved);
    for (let step = 5; step < 8; step++) {
      const tokens = batchOf(model, B, step);
      expect(await resumed.step(tokens, LR)).toEqual(await engine.step(tokens, LR));
    }
    await engine.sync();
    await resumed.sync();
    expect(fingerprint(resumed.state)).toEqual(fingerprint(engine.state));
    expect(resumed.state.stepsCount).toBe(8);
    expect(fingerprint(resumed.state)).not.toEqual(fingerprint(saved));
    await engine.close();
    await resumed.close();
  });

  test.for([NaN, Infinity, 3e38])(
    "a step made non-finite by a weight of %s leaves the state unchanged",
    async (poison) => {
      const engine = await start();
      const tokens = batchOf(model, B, 0);
      for (let step = 0; step < 3; step++) await engine.step(tokens, LR);
      await engine.sync();
      const healthy = copyOf(engine.state);
      // The last norm's weights: 3e38 is finite, the logits that it makes are not.
      engine.state.weights.fill(poison, parametersCount(model) - model.hiddenSize);
      await engine.load();
      const poisoned = copyOf(engine.state);
      expect((await engine.step(new Int32Array(tokens.length), LR)).applied).toBe(false);
      await engine.sync();
      expect(fingerprint(engine.state)).toEqual(fingerprint(poisoned));
      await restore(engine, healthy);
      expect((await engine.step(tokens, LR)).applied).toBe(true);
      await engine.close();
    },
  );

  test("evaluate averages over batches, and of other weights leaves the state alone", async () => {
    const engine = await start();
    const batches = [batchOf(model, B, 0), batchOf(model, B, 1)] as const;
    const other = floatWeights(model, "other");
    const losses = [
      await engine.evaluate(batches[0], other),
      await engine.evaluate(batches[1], other),
    ] as const;
    const both = Int32Array.from([...batches[0], ...batches[1]]);
    expect(await engine.evaluate(both, other)).toBeCloseTo((losses[0] + losses[1]) / 2, 6);
    expect(await engine.evaluate(batches[0])).not.toBe(losses[0]);
    expect(digestOf(bytesOf(engine.state.weights))).toBe(digestOf(bytesOf(floatWeights(model, "init"))));
    await engine.close();
  });

  test("nextLogits does not depend on how much context could follow, and agrees with evaluate", async () => {
    const engine = await start();
    const tokens = batchOf(model, B, 0);
    const T = model.contextLength;
    for (let step = 0; step < 30; step++) await engine.step(tokens, LR);
    // Mean -log p of each next token of each sequence, one at a time, is the loss of the batch.
    let sum = 0;
    for (let row = 0; row < B; row++) {
      for (let t = 0; t < T; t++) {
        const at = row * (T + 1);
        const logits = await engine.nextLogits(tokens.subarray(at, at + t + 1));
        const logSum = Math.log(logits.reduce((total, x) => total + Math.exp(x), 0));
        sum += logSum - (logits[tokens[at + t + 1] as number] as number);
      }
    }
    expect(sum / (B * T)).toBeCloseTo(await engine.evaluate(tokens), 4);
    await engine.close();
  });
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
    message: expect.stringContaining("choose another of cpu") as string,
  });
});

/**
 * What every engine must do, whatever it runs on. One engine serves all tests of a suite, since a GPU's first step
 * compiles shaders for seconds; each test starts from the state that it loads.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bytesOf, digestOf } from "../../src/core/index.ts";
import {
  type Engine,
  type ModelConfig,
  type TrainingState,
  parametersCount,
} from "../../src/trainer/index.ts";
import { batchOf, fingerprint, floatWeights, startEngine } from "../support/trainer/models.ts";

/** Every kind of tensor and operator that larger models have, small enough for Vulkan in software. */
export const contractModel: ModelConfig = {
  vocabSize: 256,
  contextLength: 8,
  hiddenSize: 24,
  layersCount: 2,
  headsCount: 4,
  kvHeadsCount: 2,
  intermediateSize: 40,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tiedHead: false,
};
export const contractSequences = 2;

const LR = 5e-3;
/** Of losses. From: requirement T2. */
const RELATIVE_ERROR_MAX = 1e-4;
/** Opening an engine and its first step; SwiftShader compiles shaders for 5 to 15 s, longer beside other work. */
const START_MS_MAX = 180_000;

const model = contractModel;
const B = contractSequences;

export function engineContract(name: string, start: () => Promise<Engine>): void {
  describe(`T2, engine contract: ${name}`, { timeout: START_MS_MAX }, () => {
    let engine: Engine;
    let initial: TrainingState;
    beforeAll(async () => {
      engine = await start();
      initial = copyOf(engine.state);
      await engine.step(batchOf(model, B, 0), LR);
    }, START_MS_MAX);
    beforeEach(() => restore(engine, initial));
    afterAll(() => engine.close());

    test("losses of 20 consecutive steps are within 1e-4 of the plain CPU engine's", async () => {
      const reference = await startEngine({ model, sequences: B, home: "copied" });
      for (let step = 0; step < 20; step++) {
        const tokens = batchOf(model, B, step);
        const expected = await reference.step(tokens, LR);
        const { lossNats, gradientNorm, applied } = await engine.step(tokens, LR);
        const error = Math.abs(lossNats / expected.lossNats - 1);
        expect(error, `step ${step}: ${lossNats}, expected ${expected.lossNats}`).toBeLessThan(
          RELATIVE_ERROR_MAX,
        );
        expect(gradientNorm / expected.gradientNorm).toBeCloseTo(1, 2);
        expect(applied).toBe(true);
      }
      await engine.sync();
      await reference.sync();
      expect(engine.state.stepsCount).toBe(20);
      const far = distance(engine.state.weights, reference.state.weights);
      expect(far / distance(reference.state.weights, initial.weights)).toBeLessThan(0.01);
      await reference.close();
    });

    test("the first loss is that of a uniform guess, and evaluate equals the loss of the step to come", async () => {
      const tokens = batchOf(model, B, 0);
      const before = await engine.evaluate(tokens);
      const { lossNats, gradientNorm } = await engine.step(tokens, LR);
      expect(lossNats).toBeCloseTo(before, 5);
      expect(Math.abs(lossNats - Math.log(256))).toBeLessThan(0.1);
      expect(gradientNorm).toBeGreaterThan(0);
    });

    test("resuming from a copy of the state gives the identical next losses and weights", async () => {
      for (let step = 0; step < 3; step++) await engine.step(batchOf(model, B, step), LR);
      await engine.sync();
      const saved = copyOf(engine.state);
      const goOn = async (): Promise<unknown> => {
        const results: unknown[] = [];
        for (let step = 3; step < 6; step++) results.push(await engine.step(batchOf(model, B, step), LR));
        await engine.sync();
        return { results, state: fingerprint(engine.state) };
      };
      const first = await goOn();
      await restore(engine, saved);
      expect(fingerprint(engine.state)).toEqual(fingerprint(saved));
      expect(await goOn()).toEqual(first);
      expect(engine.state.stepsCount).toBe(6);
      expect(fingerprint(engine.state)).not.toEqual(fingerprint(saved));
    });

    test.for([NaN, Infinity, 3e38])(
      "T6: a step made non-finite by a weight of %s leaves the state unchanged, and the next one is applied",
      async (poison) => {
        const tokens = batchOf(model, B, 0);
        await engine.step(tokens, LR);
        await engine.sync();
        const healthy = copyOf(engine.state);
        // The head's weights: 3e38 is finite, the logits that it makes are not.
        engine.state.weights.fill(poison, parametersCount(model) - model.hiddenSize);
        await engine.load();
        const poisoned = copyOf(engine.state);
        expect((await engine.step(tokens, LR)).applied).toBe(false);
        await engine.sync();
        expect(fingerprint(engine.state)).toEqual(fingerprint(poisoned));
        await restore(engine, healthy);
        expect((await engine.step(tokens, LR)).applied).toBe(true);
      },
    );

    test("T6: a learning rate of 1e30 makes later steps non-finite; none of these is applied, and all is as before", async () => {
      const tokens = batchOf(model, B, 0);
      expect((await engine.step(tokens, 1e30)).applied).toBe(true); // its own loss is still fine
      await engine.sync();
      const wrecked = fingerprint(engine.state);
      for (let step = 0; step < 3; step++) expect((await engine.step(tokens, LR)).applied).toBe(false);
      await engine.sync();
      expect(fingerprint(engine.state)).toEqual(wrecked);
    });

    test("evaluate averages over batches, and of other weights leaves the state alone", async () => {
      const batches = [batchOf(model, B, 0), batchOf(model, B, 1)] as const;
      const other = floatWeights(model, "other");
      const losses = [
        await engine.evaluate(batches[0], other),
        await engine.evaluate(batches[1], other),
      ] as const;
      const both = Int32Array.from([...batches[0], ...batches[1]]);
      expect(await engine.evaluate(both, other)).toBeCloseTo((losses[0] + losses[1]) / 2, 6);
      expect(await engine.evaluate(batches[0])).not.toBe(losses[0]);
      await engine.sync();
      expect(digestOf(bytesOf(engine.state.weights))).toBe(digestOf(bytesOf(initial.weights)));
    });

    test("nextLogits does not depend on how much context could follow, and agrees with evaluate", async () => {
      const tokens = batchOf(model, B, 0);
      const T = model.contextLength;
      for (let step = 0; step < 10; step++) await engine.step(tokens, LR);
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
    });
  });
}

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

function distance(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, x, i) => sum + (x - (b[i] as number)) ** 2, 0));
}

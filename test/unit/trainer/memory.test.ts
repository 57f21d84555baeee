/** What a host saves memory with must not change what it learns. */
import { describe, expect, test } from "vitest";
import { type Engine, type GradientMemory, modelPresets } from "../../../src/trainer/index.ts";
import { batchOf, fingerprint, startEngine } from "../../support/trainer/models.ts";

const model = modelPresets.tiny;
const sequences = 4;
/** The schedule's peak would hide an error in the moments behind the weights' own size. */
const LR = 1e-3;

async function trained(memory: GradientMemory, steps: number, threads = 1): Promise<Engine> {
  const engine = await startEngine({ model, sequences, memory, threads });
  for (let step = 0; step < steps; step++) await engine.step(batchOf(model, sequences, step), LR);
  return engine;
}

/** The largest difference, relative to the largest element. */
function distance(a: Float32Array, b: Float32Array): number {
  const size = a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] as number))), 0) / size;
}

const savings: Readonly<Record<string, GradientMemory>> = {
  "micro-batches of 1": { microSequences: 1 },
  "micro-batches of 2": { microSequences: 2 },
  "recomputed layers": { recomputesLayers: true },
  both: { microSequences: 2, recomputesLayers: true },
};

describe("T4: saving memory changes a step by no more than float32's rounding", () => {
  test.for(Object.entries(savings))("%s", async ([, memory]) => {
    const plain = await trained({ microSequences: sequences }, 1);
    const saving = await trained(memory, 1);
    // The first moment after one step is a tenth of the clipped gradient.
    expect(distance(plain.state.moment1, saving.state.moment1)).toBeLessThan(1e-5);
    expect(distance(plain.state.moment2, saving.state.moment2)).toBeLessThan(1e-5);
    const tokens = batchOf(model, sequences, 7);
    const [a, b] = [await plain.step(tokens, LR), await saving.step(tokens, LR)];
    expect(Math.abs(a.lossNats / b.lossNats - 1)).toBeLessThan(1e-5);
    expect(Math.abs(a.gradientNorm / b.gradientNorm - 1)).toBeLessThan(1e-4);
    await plain.close();
    await saving.close();
  });
});

describe("N2: where the state is copied, as for cuda, saving memory changes a step by no more than rounding", () => {
  const several = { stepsAtOnce: 2, home: "copied" } as const;
  test.for([
    ["micro-batches of 1", { memory: { microSequences: 1 }, home: "copied" }],
    ["recomputed layers", { memory: { recomputesLayers: true }, home: "copied" }],
    ["both, two steps in a run", { memory: { microSequences: 2, recomputesLayers: true }, ...several }],
  ] as const)("%s", async ([, options]) => {
    const plain = await startEngine({ model, sequences, home: "copied" });
    const saving = await startEngine({ model, sequences, ...options });
    for (const step of [0, 1]) {
      const tokens = batchOf(model, sequences, step);
      const [a, b] = [await plain.step(tokens, LR), await saving.step(tokens, LR)];
      expect(Math.abs(a.lossNats / b.lossNats - 1)).toBeLessThan(1e-5);
      expect(Math.abs(a.gradientNorm / b.gradientNorm - 1)).toBeLessThan(1e-4);
    }
    expect(distance(plain.state.moment1, saving.state.moment1)).toBeLessThan(1e-4);
    const tokens = batchOf(model, sequences, 7);
    expect(await saving.evaluate(tokens)).toBeCloseTo(await plain.evaluate(tokens), 5);
    await plain.close();
    await saving.close();
  });
});

test("T4: micro-batches and recomputation are equal bit for bit at 1, 2 and 4 threads", async () => {
  const prints: Record<string, unknown>[] = [];
  for (const threads of [1, 2, 4]) {
    const engine = await trained({ microSequences: 2, recomputesLayers: true }, 3, threads);
    prints.push(fingerprint(engine.state));
    await engine.close();
  }
  expect(prints[1]).toEqual(prints[0]);
  expect(prints[2]).toEqual(prints[0]);
});

test("T4: a micro-batch that does not divide the batch is refused with those that do", async () => {
  await expect(trained({ microSequences: 3 }, 0)).rejects.toMatchObject({
    code: "MICRO_BATCH_INVALID",
    message: expect.stringContaining("1, 2, 4") as string,
  });
});

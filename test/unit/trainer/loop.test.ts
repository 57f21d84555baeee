import { expect, test } from "vitest";
import { loop, pick } from "../../../src/trainer/graph/loop.ts";
import { add, mul } from "../../../src/trainer/graph/arithmetic.ts";
import { input, scalar } from "../../../src/trainer/graph/tensor.ts";
import { writeOnnx } from "../../../src/trainer/graph/onnx-writer.ts";
import {
  countValue,
  floatValue,
  floatsOf,
  openSession,
  type Values,
} from "../../../src/trainer/engine/session.ts";
import { modelPresets, type Engine, type StepResult } from "../../../src/trainer/index.ts";
import { batchOf, fingerprint, startEngine } from "../../support/trainer/models.ts";

const model = modelPresets.tiny;
const B = 2;

test("T5: a loop carries its state, keeps a value of each time, and sees the inputs around it", async () => {
  const count = input("count", "int64", []);
  const start = input("start", "float32", []);
  const rates = input("rates", "float32", [4]);
  const { state, each } = loop(count, [start], (iteration, [x]) => {
    const next = add(mul(x!, pick(rates, iteration)), scalar(1));
    return { state: [next], each: [mul(next, scalar(10))] };
  });
  const program = writeOnnx([count, start, rates], { end: state[0]!, kept: each[0]! });
  const session = await openSession(program, { engine: "cpu", threads: 1 });
  const outputs = (await session.run({
    count: countValue(3),
    start: floatValue(Float32Array.of(1), []),
    rates: floatValue(Float32Array.of(2, 3, 4, 5), [4]),
  })) as Values;
  // 1 -> 2 + 1 -> 9 + 1 -> 40 + 1
  expect([...floatsOf(outputs, "end")]).toEqual([41]);
  expect([...floatsOf(outputs, "kept")]).toEqual([30, 100, 410]);
  await session.release();
});

/** Learning rates of six steps; the second wrecks the weights, so that what follows is not applied. */
const rates: Record<string, readonly number[]> = {
  "steps that are all applied": [1e-3, 2e-3, 3e-3, 2e-3, 1e-3, 5e-4],
  "steps of which the last four are not applied": [1e-3, 1e30, 1e-3, 1e-3, 1e-3, 1e-3],
};

function tokensOf(steps: readonly number[]): Int32Array {
  return Int32Array.from(steps.flatMap((step) => [...batchOf(model, B, step)]));
}

async function inRuns(engine: Engine, lrs: readonly number[]): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const steps of [[0], [1, 2, 3], [4, 5]]) {
    results.push(
      ...(await engine.steps(
        tokensOf(steps),
        steps.map((step) => lrs[step] as number),
      )),
    );
  }
  return results;
}

test.for(Object.entries(rates))(
  "T5: %s, in runs of 1, 3 and 2, equal single ones bit for bit",
  async ([, lrs]) => {
    const looped = await startEngine({ model, sequences: B, home: "copied", stepsAtOnce: 3 });
    expect(looped.stepsAtOnce).toBe(3);
    const results = await inRuns(looped, lrs);
    const single = await startEngine({ model, sequences: B, home: "copied" });
    const expected: StepResult[] = [];
    for (const [step, lr] of lrs.entries()) expected.push(await single.step(batchOf(model, B, step), lr));
    expect(results).toEqual(expected);
    expect(fingerprint(looped.state)).toEqual(fingerprint(single.state));
    expect(looped.state.stepsCount).toBe(expected.filter(({ applied }) => applied).length);
    await looped.close();
    await single.close();
  },
);

import { expect, test } from "vitest";
import { systemClock } from "../../../src/core/index.ts";
import {
  modelPresets,
  pickEngine,
  provenEngines,
  tryEngine,
  type Trial,
} from "../../../src/trainer/index.ts";
import { optimizer } from "../../support/trainer/models.ts";

const cpu: Trial = { engine: "cpu", lossesNats: [5.5, 5.4, 5.3], tokensPerSecond: 1000 };

test("T2: auto takes the fastest engine that computes the CPU's losses, and says why", () => {
  const webgpu: Trial = { engine: "webgpu", lossesNats: [5.5, 5.4003, 5.3], tokensPerSecond: 9000 };
  const tfjs: Trial = { engine: "tfjs", lossesNats: [5.5, 5.4, 5.3], tokensPerSecond: 500 };
  expect(pickEngine([webgpu, tfjs, cpu])).toEqual({
    engine: "webgpu",
    reason: "webgpu 9000 tokens/s; tfjs 500 tokens/s; cpu 1000 tokens/s",
  });
  expect(pickEngine([tfjs, cpu]).engine).toBe("cpu");
});

test.for([
  { lossesNats: [5.5, 5.41, 5.3], says: "out: loss 5.41 at step 2, expected 5.4" },
  { lossesNats: [5.5, 5.4, NaN], says: "out: loss NaN at step 3, expected 5.3" },
])("T2: an engine with losses $lossesNats is out, however fast", ({ lossesNats, says }) => {
  const choice = pickEngine([{ engine: "webgpu", lossesNats, tokensPerSecond: 1e9 }, cpu]);
  expect(choice.engine).toBe("cpu");
  expect(choice.reason).toContain(says);
});

test("T2: a trial takes three steps of the model, and is the same again", async () => {
  const options = { engine: "cpu", model: modelPresets.tiny, optimizer, sequences: 2, threads: 1 } as const;
  const trial = await tryEngine(options, systemClock);
  expect(trial.lossesNats.length).toBe(3);
  expect(Math.abs((trial.lossesNats[0] as number) - Math.log(256))).toBeLessThan(0.1);
  expect(trial.tokensPerSecond).toBeGreaterThan(0);
  expect((await tryEngine(options, systemClock)).lossesNats).toEqual(trial.lossesNats);
});

test("T2: engines that have never been run are not chosen unasked", () => {
  expect(provenEngines()).toContain("cpu");
  for (const name of ["cuda", "directml", "coreml"] as const) expect(provenEngines()).not.toContain(name);
});

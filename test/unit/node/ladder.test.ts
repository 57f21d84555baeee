/** P1: a ladder is checked as a whole when it is written; P2: every rung of the smallest one keeps what was learned. */
import { expect, test } from "vitest";
import { RAW, cidOf, fromFixed } from "../../../src/core/index.ts";
import { createEngine, growWeights, initialWeights, parametersCount } from "../../../src/trainer/index.ts";
import { draftManifest, planOfPreset, presetNames } from "../../../src/node/index.ts";
import { decodeManifest, encodeManifest, parseManifest } from "../../../src/node/run/manifest.ts";
import { batchOf } from "../../support/trainer/models.ts";

const DATA = { data: [cidOf(new TextEncoder().encode("text"), RAW)] };
const school = draftManifest({ preset: "flight-school", name: "book.txt", startPeers: 4 }, DATA);
const { phases } = school;
const [first, second, third] = phases as [(typeof phases)[0], (typeof phases)[0], (typeof phases)[0]];

function messageFor(ladder: readonly unknown[]): string {
  try {
    parseManifest({ ...school, phases: ladder });
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
}

test("P1: flight-school has seven rungs from about 16k to about 1M parameters, and survives its block", () => {
  const parameters = phases.map(({ model }) => parametersCount(model));
  expect(parameters).toEqual([17_504, 32_928, 90_432, 164_288, 402_304, 623_744, 1_017_216]);
  expect(decodeManifest(encodeManifest(school))).toEqual(school);
});

test("P1: a ladder that can't be climbed is refused, and the message says which rung and why", () => {
  const { entry, ...noEntry } = second;
  const seats = { ...second, entry: { ...entry, seats: 0 } };
  const flat = { ...third, model: { ...third.model, hiddenSize: 48, headsCount: 3, kvHeadsCount: 3 } };
  expect(messageFor([first, third])).toBe("accepted");
  expect(messageFor([second])).toMatch(/no entry in the first phase.*\n.*phases\[0\]\.entry/);
  expect(messageFor([first, noEntry])).toMatch(/expected growth, seats.*\n.*phases\[1\]\.entry/);
  expect(messageFor([first, seats])).toMatch(/phases\[1\]\.entry\.seats/);
  expect(messageFor([first, second, flat])).toMatch(
    /hiddenSize a multiple of 32, got 48\n.*phases\[2\]\.model/,
  );
  expect(messageFor([first, third, second])).toMatch(/grown into.*got 32\n.*phases\[2\]\.model/);
  expect(messageFor([...phases, phases.at(-1)])).toMatch(/phases/);
});

test("P1: every preset's ladder can be climbed, plan and all; only the plan of open-500m exceeds one node", () => {
  for (const preset of presetNames) {
    const rows = planOfPreset(preset);
    for (const { growth } of rows.slice(1)) expect(growth).toBeGreaterThan(1.5);
    for (const { growth } of rows) expect(growth ?? 1).toBeLessThan(4.1);
    for (const row of rows) expect(row.fitsOneNode).toBe(row.inManifest);
  }
  const open = planOfPreset("open-500m");
  expect(open.map(({ inManifest }) => inManifest)).toEqual([true, true, false, false, false, false, false]);
  expect(open[0]?.parameters).toBeCloseTo(5e8, -7);
  expect(open[6]?.parameters).toBeGreaterThan(1.35e12);
  expect(open[6]?.parameters).toBeLessThan(1.45e12);
});

test("P2: up the whole of flight-school the logits stay within 1e-4, rung by rung", async () => {
  let weights = initialWeights(first.model, "1");
  let before: Float32Array | undefined;
  const prompt = batchOf(first.model, 1, 3).slice(0, 40);
  for (const [index, { model, optimizer, entry }] of phases.entries()) {
    const engine = await createEngine({ engine: "cpu", model, optimizer, sequences: 8, threads: 1 });
    const below = phases[index - 1]?.model;
    if (below !== undefined && entry !== undefined) {
      const growth = { from: below, to: model, rule: entry.growth, seed: `1/phase/${index}` };
      weights = growWeights(weights, growth);
    }
    engine.state.weights.set(Float32Array.from(weights, fromFixed));
    await engine.load();
    const after = await engine.nextLogits(prompt);
    expect(Math.max(...after.map((x, i) => Math.abs(x - (before?.[i] ?? x))))).toBeLessThan(1e-4);
    // A little training, so that the next rung grows from weights that are no rung's growth.
    for (let step = 0; step < 5; step++) await engine.step(batchOf(model, 8, step), optimizer.lrMax);
    before = await engine.nextLogits(prompt);
    expect(Math.max(...after.map((x, i) => Math.abs(x - (before?.[i] ?? x))))).toBeGreaterThan(1e-2);
    await engine.sync();
    weights = Int32Array.from(engine.state.weights, (x) => Math.round(x * 2 ** 24));
    before = await engine.nextLogits(prompt, Float32Array.from(weights, fromFixed));
    await engine.close();
  }
});

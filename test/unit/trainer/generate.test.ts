import { expect, test } from "vitest";
import { SeededRandom } from "../../../src/core/index.ts";
import { byteTokenizer, generate, modelPresets, sampleToken } from "../../../src/trainer/index.ts";
import { floatWeights, startEngine } from "../../support/trainer/models.ts";

test("F15: a model that learned a sentence by heart recites it", async () => {
  const model = modelPresets.tiny;
  const sentence = "the flock turns as one, and none of them leads it; ";
  const bytes = byteTokenizer.encode(sentence.repeat(4));
  const B = 4;
  const T = model.contextLength;
  const engine = await startEngine({ model, sequences: B });
  const tokens = Int32Array.from(
    { length: B * (T + 1) },
    (_, i) => bytes[Math.floor(i / (T + 1)) * 13 + (i % (T + 1))] as number,
  );
  for (let step = 0; step < 150; step++) await engine.step(tokens, 5e-3);
  const o = { tokensCount: 30, temperature: 0, seed: "s" };
  expect(await generate(engine, byteTokenizer, sentence.slice(0, 12), o)).toBe(sentence.slice(12, 42));
  expect((await generate(engine, byteTokenizer, "", { ...o, tokensCount: 3 })).length).toBeGreaterThan(0);

  const untrained = { ...o, temperature: 1, weights: floatWeights(model, "init") };
  const drawn = await generate(engine, byteTokenizer, "the", untrained);
  expect(await generate(engine, byteTokenizer, "the", untrained)).toBe(drawn);
  expect(await generate(engine, byteTokenizer, "the", { ...untrained, seed: "other" })).not.toBe(drawn);
  await engine.close();
});

test("sampleToken draws each token as often as its probability says, and the likeliest at temperature 0", () => {
  const logits = Float32Array.from([0.5, 0.25, 0.25].map(Math.log));
  const random = new SeededRandom("sample");
  const counts = [0, 0, 0];
  const sharper = [0, 0, 0];
  for (let i = 0; i < 6000; i++) {
    const token = sampleToken(logits, 1, random);
    counts[token] = (counts[token] as number) + 1;
    const sharp = sampleToken(logits, 0.5, random); // p^2 / sum: 2/3, 1/6, 1/6
    sharper[sharp] = (sharper[sharp] as number) + 1;
  }
  [0.5, 0.25, 0.25].forEach((p, i) => expect(Math.abs((counts[i] as number) / 6000 - p)).toBeLessThan(0.03));
  expect(Math.abs((sharper[0] as number) / 6000 - 2 / 3)).toBeLessThan(0.03);
  expect(sampleToken(logits, 0, random)).toBe(0);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { SeededRandom } from "../../../src/core/index.ts";
import {
  Decoder,
  type GenerateOptions,
  TextStream,
  type Tokenizer,
  byteTokenizer,
  generate,
  modelPresets,
  sampleToken,
} from "../../../src/trainer/index.ts";
import { floatWeights, startEngine } from "../../support/trainer/models.ts";

const OPTIONS: GenerateOptions = { prompt: "", tokensMax: 30, temperature: 0, topP: 1, seed: "s" };

async function textOf(decoder: Decoder, options: Partial<GenerateOptions>): Promise<string> {
  let text = "";
  for await (const part of generate(decoder, byteTokenizer, { ...OPTIONS, ...options })) text += part;
  return text;
}

test("F15 T10: a model that learned a sentence by heart recites it, beyond its context too", async () => {
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
  await engine.sync();
  const decoder = await Decoder.open({ model, weights: engine.state.weights, threads: 1 });
  expect(await textOf(decoder, { prompt: sentence.slice(0, 12) })).toBe(sentence.slice(12, 42));
  expect(await textOf(decoder, { prompt: sentence.slice(0, 12), tokensMax: 90 })).toContain(
    sentence.slice(0, 20),
  );
  expect((await textOf(decoder, { tokensMax: 3 })).length).toBeGreaterThan(0);
  await engine.close();
  await decoder.close();
});

test("T10: what is drawn depends on the seed, and on nothing else", async () => {
  const model = modelPresets.tiny;
  const decoder = await Decoder.open({ model, weights: floatWeights(model, "init"), threads: 1 });
  const untrained = { prompt: "the", temperature: 1 };
  const drawn = await textOf(decoder, untrained);
  expect(await textOf(decoder, untrained)).toBe(drawn);
  expect(await textOf(decoder, { ...untrained, seed: "other" })).not.toBe(drawn);
  // Nearly nothing is left but the likeliest.
  expect(await textOf(decoder, { ...untrained, topP: 1e-6 })).toBe(await textOf(decoder, { prompt: "the" }));
  await decoder.close();
});

test("T10: with keys and values kept, logits equal those of the whole context within 1e-4", async () => {
  const T = 40;
  const shapes = [
    { tiedHead: true, headsCount: 4, kvHeadsCount: 2 },
    { tiedHead: false, headsCount: 8, kvHeadsCount: 1 },
    { tiedHead: true, headsCount: 2, kvHeadsCount: 2 },
  ];
  for (const shape of shapes) {
    const model = { ...modelPresets.tiny, contextLength: T, ...shape };
    // Weights far from the small initial ones, so that attention is anything but even.
    const weights = floatWeights(model, "kv").map((w) => (w === 1 ? w : 8 * w));
    const engine = await startEngine({ model, sequences: 1 });
    const decoder = await Decoder.open({ model, weights, threads: 1 });
    const random = new SeededRandom(`tokens ${shape.kvHeadsCount}`);
    const tokens = Int32Array.from({ length: T }, () => random.below(256));
    for (const cuts of [
      [T],
      [1, 2, 3, 36, 37, 38, 39, 40],
      [33, 40],
      Array.from({ length: T }, (_, i) => i + 1),
    ]) {
      decoder.reset();
      let from = 0;
      for (const to of cuts) {
        const cached = await decoder.append(tokens.subarray(from, to));
        const whole = await engine.nextLogits(tokens.subarray(0, to), weights);
        const apart = whole.map((logit, i) => Math.abs(logit - (cached[i] as number)));
        expect(Math.max(...apart), `${to} tokens, from ${from}`).toBeLessThan(1e-4);
        from = to;
      }
      expect(decoder.length).toBe(T);
    }
    await expect(decoder.append([1])).rejects.toThrow("expected 1 to 0 tokens, got 1");
    await engine.close();
    await decoder.close();
  }
});

test("sampleToken draws each token as often as its probability says, and the likeliest at temperature 0", () => {
  const logits = Float32Array.from([0.5, 0.25, 0.25].map(Math.log));
  const random = new SeededRandom("sample");
  const countsOf = (o: { temperature: number; topP: number }): number[] => {
    const counts = [0, 0, 0];
    for (let i = 0; i < 6000; i++) {
      const token = sampleToken(logits, o, random);
      counts[token] = (counts[token] as number) + 1;
    }
    return counts.map((count) => count / 6000);
  };
  const near = (shares: number[], expected: number[]): void =>
    shares.forEach((share, i) => expect(Math.abs(share - (expected[i] as number))).toBeLessThan(0.03));
  near(countsOf({ temperature: 1, topP: 1 }), [0.5, 0.25, 0.25]);
  near(countsOf({ temperature: 0.5, topP: 1 }), [4 / 6, 1 / 6, 1 / 6]);
  near(countsOf({ temperature: 1, topP: 0.7 }), [2 / 3, 1 / 3, 0]);
  near(countsOf({ temperature: 1, topP: 0.4 }), [1, 0, 0]);
  expect(sampleToken(logits, { temperature: 0, topP: 1 }, random)).toBe(0);
});

test("T10: text that comes token by token is the text, and no character comes in halves", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const stream = new TextStream(byteTokenizer);
      const parts = Array.from(byteTokenizer.encode(text), (token) => stream.push(token));
      expect(parts.join("") + stream.end()).toBe(text);
      if (!text.includes("\uFFFD")) expect(parts.join("")).not.toContain("\uFFFD");
    }),
  );
  // A tokenizer that leaves out the space before the first word, as SentencePiece does.
  const words = ["one", "two", "three"];
  const spaced: Tokenizer = { ...byteTokenizer, decode: (tokens) => tokens.map((t) => words[t]).join(" ") };
  const stream = new TextStream(spaced);
  expect([0, 1, 2, 1].map((token) => stream.push(token)).join("")).toBe("one two three two");
});

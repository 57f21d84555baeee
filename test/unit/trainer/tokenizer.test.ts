import fc from "fast-check";
import { expect, test } from "vitest";
import { mobyDickText } from "../../../scripts/testnet/text.ts";
import {
  WordCounts,
  byteTokenizer,
  byteTokenizerFile,
  openTokenizer,
  tokenizerConfig,
  trainTokenizer,
} from "../../../src/trainer/index.ts";

function trainedOn(text: string, vocabulary: number): Uint8Array {
  const words = new WordCounts();
  words.add(text);
  return trainTokenizer(words, { vocabulary });
}

const book = mobyDickText().slice(0, 300_000);
const file = trainedOn(book, 1000);
const trained = openTokenizer(file);

const texts = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), fc.lorem());

test.each([
  ["bytes", byteTokenizer],
  ["bytes, from the file for other tools", openTokenizer(byteTokenizerFile())],
  ["a trained one", trained],
])("T8: any Unicode text comes back from its tokens: %s", (_, tokenizer) => {
  fc.assert(
    fc.property(texts, (text) => {
      const wellFormed = text.toWellFormed();
      const tokens = Array.from(tokenizer.encode(wellFormed));
      expect(tokenizer.decode(tokens)).toBe(wellFormed);
      expect(tokens.every((token) => token < tokenizer.vocabulary)).toBe(true);
      expect(Array.from(tokenizer.encodeBytes(new TextEncoder().encode(wellFormed)))).toEqual(tokens);
    }),
    { numRuns: 300 },
  );
});

test("T8: the file of the byte tokenizer gives the bytes themselves", () => {
  const opened = openTokenizer(byteTokenizerFile());
  expect([opened.vocabulary, opened.endToken]).toEqual([256, null]);
  expect(Array.from(opened.encode("Öl ✓\n"))).toEqual(Array.from(byteTokenizer.encode("Öl ✓\n")));
});

test("T8: a trained tokenizer has as many tokens as were asked for, needs far fewer than bytes, and is always the same", () => {
  expect(trained.vocabulary).toBe(1000);
  expect(trained.endToken).toBe(999);
  const bytes = new TextEncoder().encode(book).length;
  expect(trained.encode(book.slice(0, 50_000)).length).toBeLessThan(bytes / 6 / 2.2);
  expect(Buffer.compare(trainedOn(book, 1000), file)).toBe(0);
  expect(
    JSON.parse(Buffer.from(tokenizerConfig(file, { endToken: 999, modelMaxLength: 8 })).toString()),
  ).toMatchObject({
    eos_token: "<|endoftext|>",
  });
});

/** The definition, as slow as it is short. */
function mergesOf(words: readonly string[], count: number): string[] {
  let lists = words.map((word) => word.split(""));
  const merges: string[] = [];
  while (merges.length < count) {
    const pairs = new Map<string, number>();
    for (const list of lists)
      for (let i = 1; i < list.length; i++) {
        const pair = `${list[i - 1]} ${list[i]}`;
        pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
      }
    const [best] = [...pairs].sort((a, b) => b[1] - a[1]);
    if (best === undefined) break;
    merges.push(best[0]);
    const [left, right] = best[0].split(" ");
    lists = lists.map((list) => {
      const merged: string[] = [];
      for (let i = 0; i < list.length; i++) {
        if (list[i] === left && list[i + 1] === right) merged.push(`${left}${list[++i]}`);
        else merged.push(list[i] as string);
      }
      return merged;
    });
  }
  return merges;
}

test("T8: the merges are those of the definition: the most frequent pair, again and again", () => {
  const words = ["aaab", "aaab", "aab", "abab", "abab", "abab", "b", "bba"].join(" x ").split(" ");
  const { model } = JSON.parse(Buffer.from(trainedOn(words.join("\n"), 261)).toString()) as {
    model: { merges: [string, string][] };
  };
  // Counts 11 (ab), then what that leaves; no two pairs are equally frequent in the first two rounds.
  expect(model.merges.slice(0, 2).map((pair) => pair.join(" "))).toEqual(mergesOf(words, 2));
  const counted = new WordCounts(4);
  for (let i = 0; i < 50; i++) counted.add(`common common w${"x".repeat(i)}`);
  expect([...counted.entries()].length).toBeLessThanOrEqual(6);
  expect([...counted.entries()].map(([word]) => word)).toContain(" common");
});

test("T8: what is no tokenizer.json is refused", () => {
  for (const wrong of ["", "{", "[]", "{}", '{"model":{"type":"Nonsense","vocab":{}}}']) {
    expect(() => openTokenizer(new TextEncoder().encode(wrong))).toThrow(
      /TOKENIZER|expected a tokenizer\.json/,
    );
  }
});

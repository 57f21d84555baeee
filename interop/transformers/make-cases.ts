/**
 * Small models as `starling export` writes them, and what this project computes with them: for `check.py`, which does the
 * same with Hugging Face transformers. `node interop/transformers/make-cases.ts FOLDER`
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mobyDickText } from "../../scripts/testnet/text.ts";
import { SeededRandom, fromFixed } from "../../src/core/index.ts";
import { modelFolderFiles } from "../../src/node/model/folder.ts";
import {
  Decoder,
  type ModelConfig,
  type Tokenizer,
  WordCounts,
  byteTokenizer,
  initialWeights,
  modelPresets,
  openTokenizer,
  sampleToken,
  trainTokenizer,
} from "../../src/trainer/index.ts";

const [, , folder] = process.argv;
if (folder === undefined) throw new Error("usage: node interop/transformers/make-cases.ts FOLDER");

const TEXTS = [
  "Call me Ishmael.",
  "\n\nÖl & Wasser — 北京 🐳!",
  "  two  spaces\tand a tab",
  "I'm, you're; 1234567 x=y_z",
];
const words = new WordCounts();
words.add(mobyDickText().slice(0, 200_000));
const trained = trainTokenizer(words, { vocabulary: 700 });

await makeCase("bytes-tied", { ...modelPresets.tiny, contextLength: 64 }, null);
await makeCase(
  "bpe-untied",
  { ...modelPresets.tiny, contextLength: 64, vocabSize: 700, tiedHead: false, kvHeadsCount: 1 },
  trained,
);
await makeCase(
  "bpe-wide",
  {
    ...modelPresets.tiny,
    contextLength: 64,
    vocabSize: 700,
    hiddenSize: 96,
    headsCount: 6,
    kvHeadsCount: 3,
    layersCount: 4,
    ropeTheta: 500_000,
  },
  trained,
);

/** A model with weights that are larger than initial ones, so that everything in it matters. */
async function makeCase(name: string, model: ModelConfig, tokenizerFile: Uint8Array | null): Promise<void> {
  const random = new SeededRandom(name);
  const weights = initialWeights(model, name).map((w) => (w === 2 ** 24 ? w + random.below(2 ** 22) : 6 * w));
  const files = modelFolderFiles({ model, weights, tokenizerFile, card: "# A test\n" });
  await mkdir(join(folder as string, name), { recursive: true });
  for (const [file, bytes] of files) await writeFile(join(folder as string, name, file), bytes);
  const tokenizer = tokenizerFile === null ? byteTokenizer : openTokenizer(tokenizerFile);
  const decoder = await Decoder.open({ model, weights: Float32Array.from(weights, fromFixed), threads: 1 });
  const cases = [];
  for (const text of TEXTS) cases.push(await caseOf(text, tokenizer, decoder));
  await decoder.close();
  await writeFile(join(folder as string, name, "cases.json"), JSON.stringify(cases));
}

async function caseOf(text: string, tokenizer: Tokenizer, decoder: Decoder): Promise<object> {
  decoder.reset();
  const tokens = Array.from(tokenizer.encode(text));
  const logits: number[][] = [];
  for (const token of tokens) logits.push(Array.from(await decoder.append([token])));
  const greedy: number[] = [];
  for (let i = 0; i < 8; i++) {
    const last = Float32Array.from(
      i === 0 ? (logits.at(-1) as number[]) : await decoder.append([greedy.at(-1) as number]),
    );
    greedy.push(sampleToken(last, { temperature: 0, topP: 1 }, new SeededRandom("greedy")));
  }
  return { text, tokens, logits, greedy };
}

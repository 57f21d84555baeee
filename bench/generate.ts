/**
 * Tokens per second while a model writes: with keys and values kept, and with the whole context computed for each token.
 * `npm run bench:generate -- --shape smollm-135m`
 */
import { Command } from "commander";
import Table from "cli-table3";
import { fromFixed, systemClock } from "../src/core/index.ts";
import {
  Decoder,
  type ModelPresetName,
  createEngine,
  initialWeights,
  modelPresets,
  optimizerSchema,
} from "../src/trainer/index.ts";

const { shape, tokens, threads } = new Command("bench:generate")
  .option("--shape <name>", "a model preset", "stories-15m")
  .option("--tokens <n>", "how many are written each way", Number, 32)
  .option("--threads <n>", "CPU threads", Number, 2)
  .parse()
  .opts<{ shape: ModelPresetName; tokens: number; threads: number }>();

const model = { ...modelPresets[shape], contextLength: Math.min(256, modelPresets[shape].contextLength) };
const weights = Float32Array.from(initialWeights(model, "1"), fromFixed);
const table = new Table({ head: ["way", "tokens", "tokens per second"] });

const decoder = await Decoder.open({ model, weights, threads });
await timed("kept", async (token) => void (await decoder.append([token])));
await decoder.close();

const optimizer = optimizerSchema.parse({});
const engine = await createEngine({ engine: "cpu", model, optimizer, sequences: 1, threads });
const text = new Int32Array(model.contextLength);
await timed(
  "whole context",
  async (_, i) => void (await engine.nextLogits(text.subarray(0, i + 1), weights)),
);
await engine.close();
process.stdout.write(`${shape}, context ${model.contextLength}, ${threads} threads\n${table.toString()}\n`);

async function timed(way: string, write: (token: number, index: number) => Promise<void>): Promise<void> {
  await write(0, 0); // compiles
  const startedMs = systemClock.nowMs();
  for (let i = 1; i <= tokens; i++) await write(i, i);
  table.push([way, tokens, ((1000 * tokens) / (systemClock.nowMs() - startedMs)).toFixed(1)]);
}

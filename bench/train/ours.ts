/** Our side of bench:train, a process of its own: `ours.ts FOLDER CASE THREADS`; protocol in side.ts. */
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { createEngine, optimizerSchema } from "../../src/trainer/index.ts";
import { trainingCases } from "./cases.ts";
import type { Turn } from "./side.ts";

const [folder = "", name, threads] = process.argv.slice(2);
const found = trainingCases.find((each) => each.name === name);
if (found === undefined) throw new Error(`no case ${name}`);
const { model, sequences } = found;
const optimizer = optimizerSchema.parse({});
const engine = await createEngine({ engine: "cpu", model, optimizer, sequences, threads: Number(threads) });
{
  const bytes = await readFile(join(folder, "weights.f32"));
  new Uint8Array(engine.state.weights.buffer).set(bytes);
}
await engine.load();
const batches = await readFile(join(folder, "tokens.i32"));
const tokens = new Int32Array(batches.buffer, batches.byteOffset, batches.length / 4);
const batchLength = sequences * (model.contextLength + 1);

let step = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { steps } = JSON.parse(line) as { steps: number };
  const losses: number[] = [];
  const stepMs: number[] = [];
  for (let i = 0; i < steps; i++, step++) {
    const at = (step * batchLength) % tokens.length;
    const startedMs = performance.now();
    losses.push((await engine.step(tokens.subarray(at, at + batchLength), optimizer.lrMax)).lossNats);
    stepMs.push(performance.now() - startedMs);
  }
  const memoryPeakBytes = 1024 * process.resourceUsage().maxRSS;
  const turn: Turn = { losses, stepMs, memoryPeakBytes, version: process.version };
  process.stdout.write(`${JSON.stringify(turn)}\n`);
}

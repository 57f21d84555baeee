/** Our side of bench:train, a process of its own: `ours.ts FOLDER CASE THREADS`; protocol in side.ts. */
import { open, readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { bytesOf } from "../../src/core/index.ts";
import { createEngine, optimizerSchema } from "../../src/trainer/index.ts";
import { trainingCases } from "./cases.ts";
import type { Turn } from "./side.ts";

const [folder = "", name, threads] = process.argv.slice(2);
const found = trainingCases.find((each) => each.name === name);
if (found === undefined) throw new Error(`no case ${name}`);
const { model, sequences } = found;
const optimizer = optimizerSchema.parse({});
const engine = await createEngine({ engine: "cpu", model, optimizer, sequences, threads: Number(threads) });
// Straight into place: a buffer of the whole file would be in the peak.
const file = await open(join(folder, "weights.f32"));
const bytes = bytesOf(engine.state.weights);
for (let at = 0; at < bytes.length;) {
  const { bytesRead } = await file.read(bytes, at, Math.min(2 ** 24, bytes.length - at), at);
  if (bytesRead === 0) throw new Error(`weights.f32 ends at ${at} of ${bytes.length} bytes`);
  at += bytesRead;
}
await file.close();
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

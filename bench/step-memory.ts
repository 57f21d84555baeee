/**
 * Peak memory of a training step beside what src/node/estimate.ts says, on rungs of the lab: what `--plan` prints rests on
 * this. Each rung runs in a process of its own, because a peak never goes down. `npm run bench:step-memory`
 */
import { execFileSync } from "node:child_process";
import Table from "cli-table3";
import { fromFixed } from "../src/core/index.ts";
import { estimatePhase } from "../src/node/estimate.ts";
import { presetOf } from "../src/node/presets.ts";
import { assignedBatch, createEngine, initialWeights } from "../src/trainer/index.ts";

/** What the learner holds beside the engine, which this does not start: three int32 for each parameter. */
const LEARNER_BYTES = 12;
const PHASES = [0, 1, 2, 3, 4];

const { rungs } = presetOf("lab");
const [, , asked] = process.argv;
if (asked === undefined) printTable();
else process.stdout.write(`${await peakOf(Number(asked))}\n`);

function printTable(): void {
  const table = new Table({
    head: ["phase", "parameters", "measured", "estimated"],
    style: { head: [], border: [] },
  });
  for (const phase of PHASES) {
    const measured = Number(execFileSync(process.execPath, [import.meta.filename, String(phase)]));
    const { parameters, memoryBytes } = estimatePhase(phaseAt(phase));
    const megabytes = [measured, memoryBytes - LEARNER_BYTES * parameters].map(
      (x) => `${(x / 1e6).toFixed(0)} MB`,
    );
    table.push([phase, parameters, ...megabytes]);
  }
  process.stdout.write(`${table.toString()}\n`);
}

/** The peak of a process that takes two training steps. */
async function peakOf(index: number): Promise<number> {
  const { model, optimizer, batch } = phaseAt(index);
  const { sequences } = batch;
  const engine = await createEngine({ engine: "cpu", model, optimizer, sequences, threads: 1 });
  engine.state.weights.set(Float32Array.from(initialWeights(model, "1"), fromFixed));
  await engine.load();
  const text = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 7) % 251);
  for (let step = 0; step < 2; step++) {
    await engine.step(
      assignedBatch(text, { seed: "memory", step, sequences, contextLength: model.contextLength }),
      1e-3,
    );
  }
  return process.resourceUsage().maxRSS * 1024;
}

function phaseAt(index: number): (typeof rungs)[0]["phase"] {
  const rung = rungs[index];
  if (rung === undefined) throw new Error(`expected a phase below ${rungs.length}, got ${index}`);
  return rung.phase;
}

/**
 * T4: does training leak? 500 steps of 9M parameters in micro-batches; resident memory after step 500 must be within 5 % of
 * that after step 50 (exit code 1 if not). Smaller models would measure Node's own warming up. `npm run bench:steady-memory`
 */
import { SeededRandom } from "../src/core/index.ts";
import { createEngine, modelPresets, optimizerSchema, parametersCount } from "../src/trainer/index.ts";

const STEPS = [50, 500] as const;
const GROWTH_MAX = 1.05;

const model = {
  ...modelPresets.flight,
  contextLength: 32,
  hiddenSize: 384,
  layersCount: 5,
  headsCount: 6,
  kvHeadsCount: 6,
  intermediateSize: 1024,
};
const sequences = 2;
const optimizer = optimizerSchema.parse({});
const memory = { microSequences: 1 };
const engine = await createEngine({ engine: "cpu", model, optimizer, sequences, threads: 1, memory });
const random = new SeededRandom("steady-memory");
const { weights } = engine.state;
for (let i = 0; i < weights.length; i++) weights[i] = 0.04 * (random.unit() - 0.5);
await engine.load();

const residentBytes: number[] = [];
for (let step = 1; step <= STEPS[1]; step++) {
  const length = sequences * (model.contextLength + 1);
  const { applied } = await engine.step(
    Int32Array.from({ length }, () => random.below(model.vocabSize)),
    1e-4,
  );
  if (!applied) throw new Error(`step ${step} was not applied`);
  if (step === STEPS[0] || step === STEPS[1]) residentBytes.push(process.memoryUsage.rss());
}
await engine.close();
const [early, late] = residentBytes as [number, number];
const megabytes = residentBytes.map((bytes) => (bytes / 1e6).toFixed(1));
process.stdout.write(
  `${parametersCount(model)} parameters: ${megabytes[0]} MB after step ${STEPS[0]}, ${megabytes[1]} MB after step ${STEPS[1]}, ratio ${(late / early).toFixed(3)}\n`,
);
if (late / early > GROWTH_MAX) process.exitCode = 1;

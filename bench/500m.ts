/**
 * T4: half a billion parameters on the CPU engine. One process takes three real steps on Moby-Dick, encodes the delta,
 * and folds it into the weights it started from; another process, which has only the seed and the delta's bytes, folds it
 * too. Exit code 1 when the roots differ or either process needed more than 20 GB. `npm run bench:500m`
 */
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { accumulateResidual, codecAt, encodeDelta, openDelta } from "../src/codec/index.ts";
import { foldRound } from "../src/consensus/index.ts";
import { bytesOf, fromFixed, rootOfBytes } from "../src/core/index.ts";
import { presetOf } from "../src/node/presets/presets.ts";
import {
  assignedBatch,
  createEngine,
  initialWeights,
  learningRate,
  parametersCount,
  tensorLengths,
} from "../src/trainer/index.ts";
import { mobyDickText } from "../scripts/testnet/text.ts";

const STEPS = 3;
const MEMORY_BYTES_MAX = 20e9; // From: requirement T4
/** The share of the one contribution: all of it, in units of 2^-20. */
const FACTOR = 2 ** 20;
const SEED = "bench:500m";

interface Outcome {
  readonly root: string;
  readonly memoryPeakBytes: number;
}

const [first] = presetOf("open-500m").rungs;
if (first === undefined) throw new Error("open-500m has no rung");
const { batch, optimizer, codec, residualBeta } = first.phase;
/** A quarter of the preset's context, so that a step is seconds: no parameter depends on it. */
const model = { ...first.phase.model, contextLength: 256 };
const settings = codecAt(codec, 0);
const lengths = tensorLengths(model);

const [, , role, deltaFile = ""] = process.argv;
if (role === "train") report(await train());
else if (role === "fold") report(await fold());
else await compare();

async function compare(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "starling-500m-"));
  const child = (name: string): Outcome => {
    const args = [import.meta.filename, name, join(folder, "delta")];
    const { status, stdout } = spawnSync(process.execPath, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (status !== 0) throw new Error(`${name} ended with ${status}`);
    return JSON.parse(stdout) as Outcome;
  };
  const trained = child("train");
  const folded = child("fold");
  await rm(folder, { recursive: true });
  const peakBytes = Math.max(trained.memoryPeakBytes, folded.memoryPeakBytes);
  say(`${parametersCount(model)} parameters, ${availableParallelism()} x ${cpus()[0]?.model ?? "?"}`);
  say(`root after training ${trained.root}, peak ${(trained.memoryPeakBytes / 1e9).toFixed(2)} GB`);
  say(`root of the other   ${folded.root}, peak ${(folded.memoryPeakBytes / 1e9).toFixed(2)} GB`);
  if (trained.root !== folded.root || peakBytes > MEMORY_BYTES_MAX) process.exitCode = 1;
}

async function train(): Promise<Outcome> {
  const { sequences } = batch;
  const { contextLength } = model;
  const text = new TextEncoder().encode(mobyDickText());
  const weights = initialWeights(model, SEED); // (P,)
  const memory = { recomputesLayers: true };
  const threads = availableParallelism();
  const engine = await createEngine({ engine: "cpu", model, optimizer, sequences, threads, memory });
  for (let i = 0; i < weights.length; i++) engine.state.weights[i] = fromFixed(weights[i] as number);
  await engine.load();
  const tokensPerStep = sequences * contextLength;
  for (let step = 0; step < STEPS; step++) {
    const tokens = assignedBatch(text, { seed: SEED, step, sequences, contextLength });
    const startedMs = performance.now();
    const lr = learningRate(optimizer, step, STEPS);
    const { lossNats, applied } = await engine.step(tokens, lr);
    const seconds = (performance.now() - startedMs) / 1000;
    if (!applied) throw new Error(`step ${step} was not applied: loss ${lossNats}`);
    say(
      `step ${step}: ${lossNats.toFixed(4)} nats, ${seconds.toFixed(1)} s, ${(tokensPerStep / seconds).toFixed(0)} tokens/s`,
    );
  }
  const residual = new Int32Array(weights.length); // (P,)
  if (!accumulateResidual(residual, weights, engine.state.weights, residualBeta))
    throw new Error("the weights are not finite");
  const { bytes } = encodeDelta(residual, lengths, settings);
  await writeFile(deltaFile, bytes);
  say(`delta: ${bytes.length} bytes`);
  const root = foldedRoot(weights, bytes);
  await engine.close();
  return outcome(root);
}

async function fold(): Promise<Outcome> {
  return outcome(foldedRoot(initialWeights(model, SEED), await readFile(deltaFile)));
}

function foldedRoot(weights: Int32Array, bytes: Uint8Array): string {
  const before = rootOfBytes(bytesOf(weights));
  const opened = openDelta(bytes, lengths, settings);
  if (opened.kind !== "accept") throw new Error(opened.detail);
  foldRound(weights, [{ reader: opened.value, factor: FACTOR }], 1);
  const root = rootOfBytes(bytesOf(weights));
  if (root === before) throw new Error("the delta changed nothing");
  return root;
}

function outcome(root: string): Outcome {
  return { root, memoryPeakBytes: 1024 * process.resourceUsage().maxRSS };
}

function report(found: Outcome): void {
  process.stdout.write(JSON.stringify(found));
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

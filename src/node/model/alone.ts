/** One node without a network: `starling train`, and the baseline that a flock has to beat. */
import { type Logger, systemClock, toFixed, toFloats } from "../../core/index.ts";
import { openStore } from "../../storage/index.ts";
import {
  type Engine,
  type EngineName,
  type GradientMemory,
  type ShardSource,
  nextBatch,
  createEngine,
  decodeWeights,
  heldOutBatches,
  initialWeights,
  learningRate,
} from "../../trainer/index.ts";
import { type RunData, createShardSource, readStoredData, storedBodies } from "../data/run-data.ts";
import { FINAL_BATCHES } from "../round/folding.ts";
import { fitMemory } from "../run/memory.ts";
import { type Manifest, type Phase, limitsOf, phaseOf } from "../run/manifest.ts";
import { readStartWeights } from "../run/start-weights.ts";
import type { CurvePoint } from "../status.ts";

export interface AloneOptions {
  readonly manifest: Manifest;
  /** A folder with all that the manifest names, as `initRun` leaves it; no node runs on it. */
  readonly dataDir: string;
  /** Whose model, optimiser and batch; default: the first. Later ones begin from fresh weights, nothing is grown. */
  readonly phase?: number;
  readonly steps: number;
  readonly threads: number;
  readonly engine?: EngineName;
  /** How to need less memory, on the CPU; what is not said here is found by what fits. */
  readonly memory?: GradientMemory;
  readonly signal?: AbortSignal;
  readonly log: Logger;
  readonly onStep?: (step: AloneStep) => void;
}

export interface AloneStep {
  readonly step: number;
  readonly stepsCount: number;
  readonly lossNats: number;
  /** Whenever it was measured last. */
  readonly validationLossNats: number;
}

export interface AloneResult {
  readonly data: RunData;
  /** (P,) fixed point. */
  readonly weights: Int32Array;
  /** Fewer than were asked for when the signal came. */
  readonly stepsDone: number;
  readonly validationLossFirstNats: number;
  readonly validationLossLastNats: number;
  readonly curve: readonly CurvePoint[];
  readonly trainingSeconds: number;
}

/**
 * The same model, optimiser, schedule and batch as the run's, for so many steps; on the same held-out batches.
 * @throws StarlingError the storage room's, `DATA_INVALID`, `DATA_TOO_SHORT`, `ENGINE_UNAVAILABLE`, `MEMORY_TOO_SMALL`
 */
export async function trainAlone(options: AloneOptions): Promise<AloneResult> {
  const { manifest, dataDir, threads, log, phase = 0 } = options;
  const { model, optimizer, batch } = phaseOf(manifest, phase);
  const store = await openStore(dataDir, { log });
  try {
    const data = await readStoredData(store.blocks, manifest);
    const read = storedBodies(store.blocks);
    const shards = createShardSource(data, read);
    const start = phase === 0 ? await readStartWeights(manifest, read) : null;
    const weights = start === null ? initialWeights(model, manifest.seed) : decodeWeights(model, start);
    const { sequences } = batch;
    const name = options.engine ?? "cpu";
    const memory = name === "cpu" ? memoryHere(phaseOf(manifest, 0), options.memory) : {};
    const engine = await createEngine({ engine: name, model, optimizer, sequences, threads, memory });
    try {
      toFloats(weights, engine.state.weights);
      await engine.load();
      const trained = await train(engine, shards, options);
      await engine.sync();
      engine.state.weights.forEach((value, i) => (weights[i] = toFixed(value)));
      return { ...trained, data, weights };
    } finally {
      await engine.close();
    }
  } finally {
    await store.close();
  }
}

function memoryHere(phase: Phase, memory: GradientMemory = {}): GradientMemory {
  return fitMemory(phase, { memory, availableBytes: process.availableMemory() }).memory;
}

async function train(
  engine: Engine,
  shards: ShardSource,
  { manifest, phase = 0, steps, signal, onStep }: AloneOptions,
): Promise<Omit<AloneResult, "data" | "weights">> {
  const { model, optimizer, batch } = phaseOf(manifest, phase);
  const { tokensPerStep } = limitsOf(manifest, phase);
  const sizes = { sequences: batch.sequences, contextLength: model.contextLength };
  const batches = await heldOutBatches(shards, { ...sizes, batchesMax: FINAL_BATCHES });
  const evaluate = async (): Promise<number> => {
    let sum = 0;
    for (const tokens of batches) sum += await engine.evaluate(tokens);
    return sum / batches.length;
  };
  const validationLossFirstNats = await evaluate();
  let validationLossLastNats = validationLossFirstNats;
  const curve: CurvePoint[] = [{ round: 0, tokens: 0, validationLossNats: validationLossFirstNats }];
  let trainingSeconds = 0;
  let stepsDone = 0;
  while (stepsDone < steps && !signal?.aborted) {
    const tokens = await nextBatch(shards, { seed: `alone/${manifest.seed}`, step: stepsDone, ...sizes });
    const startedMs = systemClock.nowMs();
    const { lossNats } = await engine.step(tokens, learningRate(optimizer, stepsDone, steps));
    trainingSeconds += (systemClock.nowMs() - startedMs) / 1000;
    stepsDone += 1;
    const isLast = stepsDone === steps || signal?.aborted === true;
    if (stepsDone % batch.stepsPerRound === 0 || isLast) {
      validationLossLastNats = await evaluate();
      const round = Math.ceil(stepsDone / batch.stepsPerRound);
      curve.push({ round, tokens: stepsDone * tokensPerStep, validationLossNats: validationLossLastNats });
    }
    onStep?.({ step: stepsDone, stepsCount: steps, lossNats, validationLossNats: validationLossLastNats });
  }
  return { stepsDone, validationLossFirstNats, validationLossLastNats, curve, trainingSeconds };
}

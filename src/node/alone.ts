/** One node without a network: the baseline that a flock has to beat. */
import { systemClock } from "../core/index.ts";
import {
  assignedBatch,
  createEngine,
  heldOutBatches,
  initialWeights,
  learningRate,
  splitHeldOut,
} from "../trainer/index.ts";
import { FINAL_BATCHES } from "./loop.ts";
import { type Manifest, limitsOf, phaseOf } from "./manifest.ts";
import type { CurvePoint } from "./status.ts";

export interface AloneOptions {
  readonly manifest: Manifest;
  /** The whole text of the run. */
  readonly text: Uint8Array;
  readonly steps: number;
  readonly threads: number;
  onStep?(step: number, lossNats: number): void;
}

export interface AloneResult {
  readonly validationLossFirstNats: number;
  readonly validationLossLastNats: number;
  readonly curve: readonly CurvePoint[];
  readonly trainingSeconds: number;
}

/** The same model, optimiser, schedule and batch as the run's, for so many steps; on the same held-out batches. */
export async function trainAlone(options: AloneOptions): Promise<AloneResult> {
  const { manifest, steps } = options;
  const { model, optimizer, batch } = phaseOf(manifest, 0);
  const { tokensPerStep } = limitsOf(manifest, 0);
  const { train, heldOut } = splitHeldOut(options.text, manifest.data.heldOutShare);
  const { sequences } = batch;
  const { contextLength } = model;
  const engine = await createEngine({ engine: "cpu", model, optimizer, sequences, threads: options.threads });
  const weights = initialWeights(model, manifest.seed);
  weights.forEach((value, i) => (engine.state.weights[i] = value / 2 ** 24));
  await engine.load();
  const batches = heldOutBatches(heldOut, { sequences, contextLength, batchesMax: FINAL_BATCHES });
  const evaluate = async (): Promise<number> => {
    let sum = 0;
    for (const tokens of batches) sum += await engine.evaluate(tokens);
    return sum / batches.length;
  };
  const validationLossFirstNats = await evaluate();
  const curve: CurvePoint[] = [{ round: 0, tokens: 0, validationLossNats: validationLossFirstNats }];
  let trainingSeconds = 0;
  for (let step = 0; step < steps; step++) {
    const seed = `alone/${manifest.seed}`;
    const tokens = assignedBatch(train, { seed, step, sequences, contextLength });
    const startedMs = systemClock.nowMs();
    const lr = learningRate(optimizer, step, steps);
    const { lossNats } = await engine.step(tokens, lr);
    trainingSeconds += (systemClock.nowMs() - startedMs) / 1000;
    options.onStep?.(step + 1, lossNats);
    const done = step + 1;
    if (done % batch.stepsPerRound !== 0 && done !== steps) continue;
    curve.push({
      round: Math.ceil(done / batch.stepsPerRound),
      tokens: done * tokensPerStep,
      validationLossNats: await evaluate(),
    });
  }
  await engine.close();
  const validationLossLastNats = curve.at(-1)?.validationLossNats ?? validationLossFirstNats;
  return { validationLossFirstNats, validationLossLastNats, curve, trainingSeconds };
}

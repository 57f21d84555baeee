/** Seven rungs from 1M to 123M parameters, each about twice the last: for a handful of machines in days. */
import type { ModelConfig } from "../../trainer/index.ts";
import { BYTES, DENSE, type Preset, type Rung, credits, optimizer, rule } from "./preset.ts";

/** [query heads of 32 features, layers, MLP units, largest learning rate]. Rates: Guess, falling with the width. */
const steps: readonly (readonly [number, number, number, number])[] = [
  [4, 5, 384, 2e-3], // 1.0M
  [4, 8, 512, 2e-3], // 2.0M
  [8, 8, 512, 1.5e-3], // 4.8M
  [8, 12, 1024, 1.2e-3], // 11.9M
  [16, 12, 1024, 1e-3], // 28M
  [16, 13, 2048, 8e-4], // 51M
  [32, 13, 2048, 6e-4], // 123M
];

function rung(
  [headsCount, layersCount, intermediateSize, lrMax]: (typeof steps)[number],
  phase: number,
): Rung {
  const model: ModelConfig = {
    ...BYTES,
    contextLength: 256,
    hiddenSize: 32 * headsCount,
    headsCount,
    kvHeadsCount: headsCount / 2,
    layersCount,
    intermediateSize,
  };
  const entry = {
    growth: { depth: "identity" },
    seats: 64 - 8 * phase, // Guess: fewer and fewer can carry the model
    qualifyRounds: 64, // Guess: the window that voting weight looks back on
    qualifySeats: 4, // Guess
  } as const;
  return {
    rounds: 300, // Guess: hours
    phase: {
      model,
      batch: { sequences: 8, stepsPerRound: 30, stepsMax: 120 }, // From: SparseLoCo (arXiv 2508.15706), H = 30
      roundMsMax: 30 * 60_000, // Guess
      optimizer: { ...optimizer, lrMax },
      codec: [
        // Dense while everything still moves (Guess: 50M tokens), then 1/16, on half of the residual, with more for the last.
        // Measured: bench/RESULTS.md, "Settings of Starling's rule".
        { fromTokens: 0, keepPerChunk: DENSE, valueBits: 2 },
        { fromTokens: 50_000_000, keepPerChunk: 256, valueBits: 2 },
      ],
      residualBeta: 1,
      residualInStart: 0.5,
      rule,
      credits,
      ...(phase > 0 && { entry }),
    },
    last: { share: 0.1, keepPerChunk: 1024, valueBits: 2 },
  };
}

const [first, ...later] = steps.map(rung);
export const lab: Preset = { rungs: [first as Rung, ...later] };

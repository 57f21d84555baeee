/**
 * Seven rungs from half a billion to 1.4 trillion parameters, each three to four times the last. Two of them fit into
 * what this version can hold; the rest is a plan, written out so that its price can be read (`starling init --plan`).
 */
import type { ModelConfig } from "../../trainer/index.ts";
import { BYTES, type Preset, type Rung, credits, optimizer, rule } from "./preset.ts";

/** [query heads of 128 features, layers, largest learning rate]. Rates: Guess, near those of published models of the size. */
const steps: readonly (readonly [number, number, number])[] = [
  [12, 18, 3e-4], // 0.5B
  [24, 18, 3e-4], // 2.0B
  [24, 64, 2e-4], // 7B
  [48, 64, 1.5e-4], // 28B
  [96, 64, 1.2e-4], // 112B
  [96, 196, 1e-4], // 343B
  [192, 196, 8e-5], // 1.4T
];
const RUNGS_THAT_FIT = 2;

function rung([headsCount, layersCount, lrMax]: (typeof steps)[number], phase: number): Rung {
  const hiddenSize = 128 * headsCount;
  const model: ModelConfig = {
    ...BYTES,
    contextLength: 1024,
    hiddenSize,
    headsCount,
    kvHeadsCount: headsCount / 3,
    layersCount,
    intermediateSize: 3 * hiddenSize,
  };
  // Guess: all that a phase is designed for; longer looks than at home.
  const entry = { growth: { depth: "identity" }, seats: 64, qualifyRounds: 256, qualifySeats: 4 } as const;
  return {
    rounds: 1000, // Guess: months
    phase: {
      model,
      batch: { sequences: 1, stepsPerRound: 500, stepsMax: 2000 }, // From: DiLoCo (arXiv 2311.08105), H = 500
      roundMsMax: 2 * 3_600_000, // Guess
      optimizer: { ...optimizer, lrMax },
      // Measured at 109k parameters: bench/RESULTS.md, "Settings of Starling's rule"; when to become sparse: Guess.
      codec: [
        { fromTokens: 0, keepPerChunk: 512, valueBits: 2 },
        { fromTokens: 2_000_000_000, keepPerChunk: 64, valueBits: 2 },
      ],
      residualBeta: 1,
      residualInStart: 0.5,
      rule: { ...rule, settleDepth: 16 }, // Measured: bench/RESULTS.md, "Agreement by depth", where a third may be hostile
      credits,
      ...(phase > 0 && { entry }),
    },
    last: { share: 0.08, keepPerChunk: 512, valueBits: 2 },
  };
}

const [first, ...later] = steps.map(rung);
export const open500m: Preset = {
  rungs: [first as Rung, ...later.slice(0, RUNGS_THAT_FIT - 1)],
  plan: later.slice(RUNGS_THAT_FIT - 1),
};

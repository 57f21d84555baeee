/**
 * Seven rungs from 17 thousand to a million parameters, each about twice the last: the whole ladder on one laptop. Four
 * seats for the second rung, three from the fourth on, so that with four nodes one is left behind and has to qualify.
 */
import type { ModelConfig } from "../../trainer/index.ts";
import { BYTES, DENSE, type Preset, type Rung, credits, optimizer, rule } from "./preset.ts";

/** Of 16 features: the same on every rung, or rotary frequencies would change. */
const heads = (headsCount: number): Pick<ModelConfig, "hiddenSize" | "headsCount" | "kvHeadsCount"> => ({
  hiddenSize: 16 * headsCount,
  headsCount,
  kvHeadsCount: headsCount / 2,
});

interface Step {
  readonly headsCount: number;
  readonly layersCount: number;
  readonly intermediateSize: number;
  readonly lrMax: number;
  readonly seats: number;
}

/** Learning rates: smaller models take larger ones. Guess, around the measured 2e-3 at 1M parameters. */
const steps: readonly Step[] = [
  { headsCount: 2, layersCount: 1, intermediateSize: 64, lrMax: 8e-3, seats: 4 }, // 18k
  { headsCount: 2, layersCount: 2, intermediateSize: 96, lrMax: 6e-3, seats: 4 }, // 33k
  { headsCount: 4, layersCount: 2, intermediateSize: 128, lrMax: 4e-3, seats: 4 }, // 90k
  { headsCount: 4, layersCount: 3, intermediateSize: 192, lrMax: 4e-3, seats: 3 }, // 164k
  { headsCount: 8, layersCount: 3, intermediateSize: 192, lrMax: 3e-3, seats: 3 }, // 402k
  { headsCount: 8, layersCount: 4, intermediateSize: 256, lrMax: 2e-3, seats: 3 }, // 623k
  { headsCount: 8, layersCount: 5, intermediateSize: 384, lrMax: 2e-3, seats: 3 }, // 1.0M
];

function rung({ headsCount, layersCount, intermediateSize, lrMax, seats }: Step, phase: number): Rung {
  const entry = { growth: { depth: "identity" }, seats, qualifyRounds: 6, qualifySeats: 1 } as const;
  return {
    rounds: 10, // Measured: bench/RESULTS.md, "Seven phases with four nodes": the whole ladder in minutes
    phase: {
      model: { ...BYTES, ...heads(headsCount), contextLength: 64, layersCount, intermediateSize },
      batch: { sequences: 8, stepsPerRound: 10, stepsMax: 40 }, // As in `flight`
      roundMsMax: 30_000, // Guess
      optimizer: { ...optimizer, lrMax },
      codec: [{ fromTokens: 0, keepPerChunk: DENSE, valueBits: 4 }],
      residualBeta: 1,
      rule: { ...rule, settleDepth: 4 }, // Among processes of one machine, in ten rounds: Guess
      credits,
      ...(phase > 0 && { entry }),
    },
  };
}

const [first, ...later] = steps.map(rung);
export const flightSchool: Preset = { rungs: [first as Rung, ...later] };

/** One phase each: a laptop's first run, and the same in seconds. */
import { modelPresets } from "../../trainer/index.ts";
import { DENSE, type Preset, credits, optimizer, rule } from "./preset.ts";

/** About 1M parameters on a book: four nodes on one laptop, minutes. */
export const flight: Preset = {
  rungs: [
    {
      rounds: 30, // Measured: docs/log.md, "Four nodes against one alone"
      phase: {
        model: modelPresets.flight,
        // Measured at 10 and 20 steps: docs/log.md, "Prototype: learning with few exchanges". At most four times as many: Guess.
        batch: { sequences: 8, stepsPerRound: 10, stepsMax: 40 },
        roundMsMax: 60_000, // Guess: a slow laptop takes its ten steps in a third of it
        optimizer,
        // Short runs want dense deltas of few bits. Measured: bench/RESULTS.md, "Rules of exchange".
        codec: [{ fromTokens: 0, keepPerChunk: DENSE, valueBits: 4 }],
        residualBeta: 1,
        rule,
        credits,
      },
    },
  ],
};

/** 27k parameters: the same in seconds, for tests. */
export const tiny: Preset = {
  rungs: [
    {
      rounds: 8, // Seconds, for tests; so are all numbers here
      phase: {
        model: modelPresets.tiny,
        batch: { sequences: 4, stepsPerRound: 5, stepsMax: 20 },
        roundMsMax: 10_000,
        optimizer: { ...optimizer, lrMax: 5e-3 },
        codec: [{ fromTokens: 0, keepPerChunk: DENSE, valueBits: 4 }],
        residualBeta: 1,
        rule: { ...rule, settleDepth: 4 },
        credits,
      },
    },
  ],
};

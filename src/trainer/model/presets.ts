/** Models by name. */
import type { ModelConfig } from "./config.ts";

const BYTES = { vocabSize: 256, ropeTheta: 10_000, normEpsilon: 1e-5, tiedHead: true } as const;

export const modelPresets: Readonly<Record<"tiny" | "flight", ModelConfig>> = {
  /** 27k parameters: learns in seconds, for tests. */
  tiny: {
    ...BYTES,
    contextLength: 32,
    hiddenSize: 32,
    layersCount: 2,
    headsCount: 4,
    kvHeadsCount: 2,
    intermediateSize: 64,
  },
  /**
   * 1.0M parameters: a laptop's first real run. Measured on Moby Dick, 22 s of one core each: 160 x 3 layers came
   * to 2.12 nats, 128 x 5 to 2.15, 128 x 4 to 2.17, 192 x 2 to 2.11 to 2.23; two layers varied most.
   */
  flight: {
    ...BYTES,
    contextLength: 128,
    hiddenSize: 160,
    layersCount: 3,
    headsCount: 5,
    kvHeadsCount: 5,
    intermediateSize: 448,
  },
};

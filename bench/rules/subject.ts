/** What is trained: real text, and models small enough for many runs. */
import { mobyDickText } from "../../scripts/testnet/text.ts";
import { presetOf } from "../../src/node/presets.ts";
import { type ModelConfig, type Optimizer, heldOutBatches, splitHeldOut } from "../../src/trainer/index.ts";
import type { ModelName } from "./settings.ts";

export interface Subject {
  readonly model: ModelConfig;
  readonly optimizer: Optimizer;
  /** B: sequences per step and peer. */
  readonly sequences: number;
  readonly train: Uint8Array;
  /** Fixed batches, (B * (T + 1),) each. */
  readonly heldOut: readonly Int32Array[];
}

/** As the testnet holds out. */
const HELD_OUT_SHARE = 0.1;
/** 16 batches of 8 x 128 tokens: the noise between two models is far under 0.01 nats. Guess. */
const BATCHES = 16;

export function subjectOf(name: ModelName): Subject {
  const { model, optimizer, batch } = presetOf("flight").rungs[0].phase;
  const shape = name === "flight" ? model : { ...model, ...SMALL };
  const { train, heldOut } = splitHeldOut(new TextEncoder().encode(mobyDickText()), HELD_OUT_SHARE);
  const { sequences } = batch;
  return {
    model: shape,
    optimizer,
    sequences,
    train,
    heldOut: heldOutBatches(heldOut, {
      sequences,
      contextLength: shape.contextLength,
      batchesMax: BATCHES,
    }),
  };
}

/** 108k parameters: a tenth of `flight`, about a tenth of its time. */
const SMALL: Partial<ModelConfig> = {
  contextLength: 64,
  hiddenSize: 64,
  layersCount: 2,
  headsCount: 4,
  kvHeadsCount: 2,
  intermediateSize: 176,
};

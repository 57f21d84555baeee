/** What is trained: real text, and models small enough for many runs. */
import { presetOf } from "../../src/node/presets/presets.ts";
import { type ModelConfig, type Optimizer, heldOutBatches } from "../../src/trainer/index.ts";
import { mobyDick } from "../book.ts";
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

/** 16 batches of 8 x 128 tokens: the noise between two models is far under 0.01 nats. Guess. */
const BATCHES = 16;

export async function subjectOf(name: ModelName): Promise<Subject> {
  const { model, optimizer, batch } = presetOf("flight").rungs[0].phase;
  const shape = name === "flight" ? model : { ...model, ...SMALL };
  const book = mobyDick();
  const { sequences } = batch;
  return {
    model: shape,
    optimizer,
    sequences,
    train: book.tokens,
    heldOut: await heldOutBatches(book, {
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

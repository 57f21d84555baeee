/** weights.json: initial weights by model and seed. */
import { bytesOf, rootOfBytes } from "../../../src/core/index.ts";
import {
  type ModelConfig,
  type TensorSpec,
  initialWeights,
  modelPresets,
  modelTensors,
} from "../../../src/trainer/index.ts";

export interface WeightsVector {
  name: string;
  model: ModelConfig;
  seed: string;
  tensors: Pick<TensorSpec, "name" | "shape" | "init">[];
  /** The first four elements of each tensor. */
  heads: number[][];
  root: string;
}

export function weightsVectors(): WeightsVector[] {
  const { tiny } = modelPresets;
  const untied = { ...tiny, layersCount: 1, kvHeadsCount: 4, intermediateSize: 48, tiedHead: false };
  return [
    { name: "tiny", model: tiny, seed: "1" },
    { name: "a head of its own", model: untied, seed: "murmuration" },
  ].map(({ name, model, seed }) => {
    const weights = initialWeights(model, seed);
    let at = 0;
    const tensors = modelTensors(model);
    const heads = tensors.map(({ shape }) => {
      const head = [...weights.subarray(at, at + 4)];
      at += shape.reduce((a, b) => a * b, 1);
      return head;
    });
    return {
      name,
      model,
      seed,
      tensors: tensors.map(({ name: tensor, shape, init }) => ({ name: tensor, shape, init })),
      heads,
      root: rootOfBytes(bytesOf(weights)),
    };
  });
}

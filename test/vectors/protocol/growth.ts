/** growth.json: weights of a smaller model, and what they grow into. */
import { bytesOf, rootOfBytes } from "../../../src/core/index.ts";
import {
  type GrowthRule,
  type ModelConfig,
  growWeights,
  initialWeights,
  modelPresets,
  modelTensors,
} from "../../../src/trainer/index.ts";

export interface GrowthVector {
  name: string;
  from: ModelConfig;
  to: ModelConfig;
  rule: GrowthRule;
  /** Of the growth; the smaller model's weights are the initial ones of the seed "1". */
  seed: string;
  /** The first four elements of each tensor. */
  heads: number[][];
  root: string;
}

const small: ModelConfig = { ...modelPresets.tiny, vocabSize: 16, headsCount: 2, kvHeadsCount: 1 };
const wide: Partial<ModelConfig> = { hiddenSize: 64, headsCount: 4, intermediateSize: 80 };

const cases: readonly Pick<GrowthVector, "name" | "from" | "to" | "rule">[] = [
  { name: "width", from: small, to: { ...small, ...wide, kvHeadsCount: 2 }, rule: { depth: "identity" } },
  {
    name: "three copies, the same keys, a head of its own",
    from: { ...small, tiedHead: false },
    to: { ...small, tiedHead: false, hiddenSize: 96, headsCount: 6 },
    rule: { depth: "identity" },
  },
  { name: "depth", from: small, to: { ...small, layersCount: 5 }, rule: { depth: "identity" } },
  {
    name: "stacked",
    from: small,
    to: { ...small, ...wide, layersCount: 3, contextLength: 64 },
    rule: { depth: "stack" },
  },
];

export function growthVectors(): GrowthVector[] {
  return cases.map((growth) => {
    const seed = "murmuration/phase/1";
    const weights = growWeights(initialWeights(growth.from, "1"), { ...growth, seed });
    let at = 0;
    const heads = modelTensors(growth.to).map(({ shape }) => {
      const head = [...weights.subarray(at, at + 4)];
      at += shape.reduce((a, b) => a * b, 1);
      return head;
    });
    return { ...growth, seed, heads, root: rootOfBytes(bytesOf(weights)) };
  });
}

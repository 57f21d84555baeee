/**
 * The compiled graph's gradients against TensorFlow.js's autodiff of the model as it is written for that engine. Weights
 * and tokens are new in each run; the seed is printed, and STARLING_SEED brings it back.
 */
import { randomUUID } from "node:crypto";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../../../src/core/index.ts";
import {
  compileGradients,
  modelPresets,
  modelTensors,
  type ModelConfig,
} from "../../../src/trainer/index.ts";
import { TfLlama } from "../../../src/trainer/engine/tfjs/llama.ts";
import { tensorViews } from "../../../src/trainer/model/tensors.ts";
import { floatWeights } from "../../support/trainer/models.ts";

/** Of each tensor's gradient, in its norm. From: requirement T1. */
const RELATIVE_ERROR_MAX = 1e-4;
const SEED = process.env.STARLING_SEED ?? randomUUID();

const small: ModelConfig = { ...modelPresets.tiny, vocabSize: 96, contextLength: 12 };
const models: Record<string, ModelConfig> = {
  "tied head, grouped queries": small,
  "untied head, one head of keys, three layers": {
    ...small,
    tiedHead: false,
    kvHeadsCount: 1,
    layersCount: 3,
  },
  "a key head for every query head, other constants": {
    ...small,
    kvHeadsCount: 4,
    ropeTheta: 500_000,
    normEpsilon: 1e-3,
  },
};

describe(`T1: gradients of whole models against TensorFlow.js, seed ${SEED}`, () => {
  test.for(Object.entries(models))("%s", async ([name, model]) => {
    const sequences = 2;
    const random = new SeededRandom(`${SEED}/${name}`);
    // Larger than initial weights, so that attention is far from uniform and every path carries gradient.
    const weights = floatWeights(model, SEED).map((w) => (w === 1 ? 0.8 + 0.4 * random.unit() : 8 * w));
    const shape: [number, number] = [sequences, model.contextLength + 1];
    const tokens = Int32Array.from({ length: shape[0] * shape[1] }, () => random.below(model.vocabSize));

    const compiled = await compileGradients({ model, sequences, threads: 1 });
    const { lossNats, gradient } = await compiled.run(weights, tokens);
    await compiled.close();

    const llama = new TfLlama(tf, model);
    const specs = modelTensors(model);
    const views = tensorViews(model, weights);
    const parameters = specs.map(({ name: key, shape: dims }) =>
      tf.tensor((views.get(key) as Float32Array).slice(), [...dims]),
    );
    const { value, grads } = tf.valueAndGrads((...values: tf.Tensor[]) =>
      llama.loss(
        new Map(specs.map(({ name: key }, i) => [key, values[i] as tf.Tensor])),
        tf.tensor2d(tokens, shape, "int32"),
      ),
    )(parameters);

    const expectedLoss = (await value.data())[0] as number;
    expect(Math.abs(lossNats / expectedLoss - 1), `loss ${lossNats}, seed ${SEED}`).toBeLessThan(
      RELATIVE_ERROR_MAX,
    );
    const ours = tensorViews(model, gradient);
    for (const [i, spec] of specs.entries()) {
      const g = ours.get(spec.name) as Float32Array;
      const expected = (await (grads[i] as tf.Tensor).data()) as Float32Array;
      expect(norm(expected), spec.name).toBeGreaterThan(0);
      const error = norm(g.map((x, at) => x - (expected[at] as number))) / norm(expected);
      expect(error, `${spec.name}, seed ${SEED}`).toBeLessThan(RELATIVE_ERROR_MAX);
    }
  });
});

function norm(a: Float32Array): number {
  return Math.sqrt(a.reduce((sum, x) => sum + x * x, 0));
}

/** The engine over TensorFlow.js: its own autodiff, its own kernels, weights and moments as its tensors. */
import type { Tensor, Tensor2D } from "@tensorflow/tfjs";
import { assert } from "../../../core/index.ts";
import { stepScalars } from "../../graph/adamw.ts";
import type { ModelConfig } from "../../model/config.ts";
import { modelTensors, tensorViews } from "../../model/tensors.ts";
import type { Optimizer } from "../../optimizer.ts";
import type { Engine, StepResult, TrainingState } from "../engine.ts";
import { emptyState } from "../state-values.ts";
import { TfLlama } from "./llama.ts";
import type { Tf } from "./load.ts";

export interface TfjsEngineOptions {
  readonly model: ModelConfig;
  readonly optimizer: Optimizer;
  /** B: sequences per step. */
  readonly sequences: number;
}

type Named = Map<string, Tensor>;
type StateName = "weights" | "moment1" | "moment2";

const STATE: readonly StateName[] = ["weights", "moment1", "moment2"];

export class TfjsEngine implements Engine {
  readonly name = "tfjs";
  readonly stepsAtOnce = 1;
  readonly model: ModelConfig;
  readonly state: TrainingState;
  readonly #tf: Tf;
  readonly #o: TfjsEngineOptions;
  readonly #llama: TfLlama;
  readonly #tensors: Record<StateName, Named>;

  constructor(tf: Tf, o: TfjsEngineOptions) {
    this.#tf = tf;
    this.#o = o;
    this.model = o.model;
    this.state = emptyState(o.model);
    this.#llama = new TfLlama(tf, o.model);
    this.#tensors = {
      weights: this.#upload(this.state.weights),
      moment1: this.#upload(this.state.moment1),
      moment2: this.#upload(this.state.moment2),
    };
  }

  async step(tokens: Int32Array, lr: number): Promise<StepResult> {
    assert(lr >= 0 && lr < Infinity, `expected a learning rate >= 0, got ${lr}`);
    const tf = this.#tf;
    const { weights } = this.#tensors;
    const batch = this.#batch(tokens);
    const names = [...weights.keys()];
    const { value, grads } = tf.valueAndGrads((...values: Tensor[]) =>
      this.#llama.loss(new Map(names.map((name, i) => [name, values[i] as Tensor])), batch),
    )([...weights.values()]);
    const norm = tf.tidy(() => tf.addN(grads.map((g) => g.square().sum())).sqrt());
    const [lossNats, gradientNorm] = [await scalarOf(value), await scalarOf(norm)];
    const applied = Number.isFinite(lossNats) && Number.isFinite(gradientNorm);
    if (applied) this.#update(names, grads, { lr, gradientNorm });
    tf.dispose([batch, value, norm, ...grads]);
    return { lossNats, gradientNorm, applied };
  }

  async steps(tokens: Int32Array, lrs: readonly number[]): Promise<StepResult[]> {
    assert(lrs.length === 1, `expected one step at once, got ${lrs.length}`);
    return [await this.step(tokens, lrs[0] as number)];
  }

  /** AdamW after clipping to a global norm; the formulas are those of `graph/adamw.ts`. */
  #update(names: readonly string[], grads: readonly Tensor[], o: { lr: number; gradientNorm: number }): void {
    const { beta1, beta2, gradientNormMax } = this.#o.optimizer;
    const s = stepScalars(this.#o.optimizer, o.lr, this.state.stepsCount + 1);
    const clip = Math.min(1, gradientNormMax / (o.gradientNorm + 1e-6));
    const decays = new Map(modelTensors(this.model).map(({ name, decay }) => [name, decay]));
    names.forEach((name, i) => {
      const [w, m, v] = STATE.map((part) => this.#tensors[part].get(name) as Tensor) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const updated = this.#tf.tidy(() => {
        const g = (grads[i] as Tensor).mul(clip);
        const moment1 = m.mul(beta1).add(g.mul(1 - beta1));
        const moment2 = v.mul(beta2).add(g.square().mul(1 - beta2));
        const change = moment1.div(moment2.sqrt().add(s.epsilon)).mul(s.stepSize);
        return { weights: (decays.get(name) ? w.mul(s.shrink) : w).sub(change), moment1, moment2 };
      });
      for (const part of STATE) this.#tensors[part].set(name, updated[part]);
      this.#tf.dispose([w, m, v]);
    });
    this.state.stepsCount += 1;
  }

  async evaluate(tokens: Int32Array, weights?: Float32Array): Promise<number> {
    const batchLength = this.#o.sequences * (this.model.contextLength + 1);
    const batches = tokens.length / batchLength;
    assert(
      Number.isInteger(batches) && batches > 0,
      `expected a multiple of ${batchLength} tokens, got ${tokens.length}`,
    );
    return this.#withWeights(weights, async (parameters) => {
      let sum = 0;
      for (let at = 0; at < tokens.length; at += batchLength) {
        const batch = this.#batch(tokens.subarray(at, at + batchLength));
        const loss = this.#tf.tidy(() => this.#llama.loss(parameters, batch));
        sum += await scalarOf(loss);
        this.#tf.dispose([batch, loss]);
      }
      return sum / batches;
    });
  }

  async nextLogits(tokens: Int32Array, weights?: Float32Array): Promise<Float32Array> {
    const T = this.model.contextLength;
    assert(tokens.length >= 1 && tokens.length <= T, `expected 1 to ${T} tokens, got ${tokens.length}`);
    // What comes after the last token is masked from it, so zeros will do.
    const padded = new Int32Array(T);
    padded.set(tokens);
    return this.#withWeights(weights, async (parameters) => {
      const logits = this.#tf.tidy(() =>
        this.#llama.logitsAt(parameters, this.#tf.tensor2d(padded, [1, T], "int32"), tokens.length - 1),
      );
      const values = (await logits.data()) as Float32Array;
      logits.dispose();
      return values;
    });
  }

  async sync(): Promise<void> {
    for (const part of STATE) {
      const views = tensorViews(this.model, this.state[part]);
      for (const [name, tensor] of this.#tensors[part])
        views.get(name)?.set((await tensor.data()) as Float32Array);
    }
  }

  async load(): Promise<void> {
    for (const part of STATE) {
      this.#tf.dispose([...this.#tensors[part].values()]);
      this.#tensors[part] = this.#upload(this.state[part]);
    }
  }

  async close(): Promise<void> {
    for (const part of STATE) this.#tf.dispose([...this.#tensors[part].values()]);
    this.#llama.dispose();
  }

  #batch(tokens: Int32Array): Tensor2D {
    const shape: [number, number] = [this.#o.sequences, this.model.contextLength + 1];
    assert(
      tokens.length === shape[0] * shape[1],
      `expected tokens of shape [${shape.join()}], got ${tokens.length}`,
    );
    return this.#tf.tensor2d(tokens, shape, "int32");
  }

  /** Copies, since the library may keep the array that it is given. */
  #upload(flat: Float32Array): Named {
    const views = tensorViews(this.model, flat);
    return new Map(
      modelTensors(this.model).map(({ name, shape }) => [
        name,
        this.#tf.tensor((views.get(name) as Float32Array).slice(), [...shape]),
      ]),
    );
  }

  async #withWeights<T>(
    weights: Float32Array | undefined,
    use: (parameters: Named) => Promise<T>,
  ): Promise<T> {
    if (weights === undefined) return use(this.#tensors.weights);
    const parameters = this.#upload(weights);
    try {
      return await use(parameters);
    } finally {
      this.#tf.dispose([...parameters.values()]);
    }
  }
}

async function scalarOf(tensor: Tensor): Promise<number> {
  return (await tensor.data())[0] as number;
}

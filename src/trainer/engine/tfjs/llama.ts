/**
 * The model once more, in TensorFlow.js: an engine of its own, and the oracle that the compiled graph's gradients are
 * tested against. It is written from the papers' formulas and not after `model/llama.ts`, so that a mistake in one
 * is not in the other. Shapes: B sequences, T positions, D features, H heads, K heads of keys and values, V vocabulary.
 */
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import { assert } from "../../../core/index.ts";
import { headSize, type ModelConfig } from "../../model/config.ts";
import type { Tf } from "./load.ts";

export type TfParameters = ReadonlyMap<string, Tensor>;

export class TfLlama {
  readonly #tf: Tf;
  readonly #c: ModelConfig;
  readonly #cos: Tensor2D; // (T, headSize / 2)
  readonly #sin: Tensor2D;
  readonly #mask: Tensor2D; // (T, T), 0 where a position may look

  constructor(tf: Tf, c: ModelConfig) {
    this.#tf = tf;
    this.#c = c;
    const T = c.contextLength;
    const half = headSize(c) / 2;
    const angles = Array.from(
      { length: T * half },
      (_, at) => Math.floor(at / half) / c.ropeTheta ** ((at % half) / half),
    );
    this.#cos = tf.tensor2d(angles.map(Math.cos), [T, half]);
    this.#sin = tf.tensor2d(angles.map(Math.sin), [T, half]);
    const mask = Array.from({ length: T * T }, (_, at) => (at % T > Math.floor(at / T) ? -1e9 : 0));
    this.#mask = tf.tensor2d(mask, [T, T]);
  }

  /** Mean nats per token of batch (B, T + 1) int32. */
  loss(p: TfParameters, batch: Tensor2D): Tensor {
    const T = this.#c.contextLength;
    const targets = batch.slice([0, 1], [-1, T]).flatten() as Tensor1D;
    const hidden = this.hidden(p, batch.slice([0, 0], [-1, T]));
    const head = this.#head(p);
    const logits = this.#tf.matMul(hidden, head, false, true); // (B * T, V)
    // The target's logit is a product of two rows: no one-hot matrix of (B * T, V).
    const targetLogits = this.#tf.gather(head, targets).mul(hidden).sum(1);
    return this.#tf.logSumExp(logits, 1).sub(targetLogits).mean();
  }

  /** Logits (V,) of what follows position `at` of tokens (1, T) int32. */
  logitsAt(p: TfParameters, tokens: Tensor2D, at: number): Tensor {
    const row = this.hidden(p, tokens).slice([at, 0], [1, -1]);
    return this.#tf.matMul(row, this.#head(p), false, true).flatten();
  }

  /** Tokens (B, T) int32 -> (B * T, D), after the last norm. */
  hidden(p: TfParameters, tokens: Tensor2D): Tensor2D {
    const tf = this.#tf;
    const { hiddenSize: D, layersCount } = this.#c;
    const [B] = tokens.shape;
    let x = tf.gather(get(p, "model.embed_tokens.weight"), tokens.flatten() as Tensor1D).reshape([-1, D]);
    for (let i = 0; i < layersCount; i++) {
      const weight = (name: string): Tensor2D => get(p, `model.layers.${i}.${name}.weight`) as Tensor2D;
      x = x.add(this.#attention(this.#rmsNorm(x, weight("input_layernorm")), weight, B));
      x = x.add(this.#feedForward(this.#rmsNorm(x, weight("post_attention_layernorm")), weight));
    }
    return this.#rmsNorm(x, get(p, "model.norm.weight")) as Tensor2D;
  }

  dispose(): void {
    this.#tf.dispose([this.#cos, this.#sin, this.#mask]);
  }

  #head(p: TfParameters): Tensor2D {
    return get(p, this.#c.tiedHead ? "model.embed_tokens.weight" : "lm_head.weight") as Tensor2D;
  }

  #rmsNorm(x: Tensor, weight: Tensor): Tensor {
    return x.div(x.square().mean(-1, true).add(this.#c.normEpsilon).sqrt()).mul(weight);
  }

  #attention(x: Tensor, weight: (name: string) => Tensor2D, B: number): Tensor {
    const tf = this.#tf;
    const { contextLength: T, headsCount: H, kvHeadsCount: K, hiddenSize: D } = this.#c;
    const size = headSize(this.#c);
    const split = (name: string, heads: number): Tensor4D =>
      tf
        .matMul(x as Tensor2D, weight(`self_attn.${name}`), false, true)
        .reshape([B, T, heads, size])
        .transpose([0, 2, 1, 3]) as Tensor4D;
    // Query head h looks with the keys of head floor(h K / H), as if these were repeated H / K times.
    const repeat = (kv: Tensor4D): Tensor =>
      tf.tile(kv.reshape([B * K, 1, T * size]), [1, H / K, 1]).reshape([B, H, T, size]);
    const q = this.#rope(split("q_proj", H));
    const k = repeat(this.#rope(split("k_proj", K)));
    const v = repeat(split("v_proj", K));
    const scores = tf.matMul(q, k, false, true).div(Math.sqrt(size)).add(this.#mask); // (B, H, T, T)
    const mixed = tf.matMul(tf.softmax(scores), v); // (B, H, T, size)
    const merged = mixed.transpose([0, 2, 1, 3]).reshape([-1, D]) as Tensor2D;
    return tf.matMul(merged, weight("self_attn.o_proj"), false, true);
  }

  /** Feature i and feature i + headSize / 2 turn as one complex number; x (B, heads, T, headSize). */
  #rope(x: Tensor4D): Tensor4D {
    const [real, imaginary] = this.#tf.split(x, 2, 3) as [Tensor4D, Tensor4D];
    return this.#tf.concat(
      [
        real.mul(this.#cos).sub(imaginary.mul(this.#sin)) as Tensor4D,
        imaginary.mul(this.#cos).add(real.mul(this.#sin)) as Tensor4D,
      ],
      3,
    );
  }

  #feedForward(x: Tensor, weight: (name: string) => Tensor2D): Tensor {
    const tf = this.#tf;
    const gate = tf.matMul(x as Tensor2D, weight("mlp.gate_proj"), false, true);
    const up = tf.matMul(x as Tensor2D, weight("mlp.up_proj"), false, true);
    const gated = gate.mul(gate.sigmoid()).mul(up) as Tensor2D;
    return tf.matMul(gated, weight("mlp.down_proj"), false, true);
  }
}

function get(p: TfParameters, name: string): Tensor {
  const tensor = p.get(name);
  assert(tensor !== undefined, `the model has no parameter ${name}`);
  return tensor;
}

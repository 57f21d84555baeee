/**
 * The model, once, as a staged tensor program: rows of activations (N, D) with N = B * T, and attention in
 * (B, heads, T, headSize). Everything that is trained, measured or generated is compiled from this file.
 */
import { add } from "../graph/arithmetic.ts";
import { reshape, transpose } from "../graph/layout.ts";
import { attend, gatherRows, rmsNorm, rope, ropeTables, swiGlu } from "../graph/neural.ts";
import type { RopeTables } from "../graph/neural.ts";
import { recomputed } from "../graph/order.ts";
import { gemm } from "../graph/products.ts";
import { constant, input, type Tensor } from "../graph/tensor.ts";
import { vocabularyLoss, type VocabularyLossOptions } from "../graph/vocabulary-loss.ts";
import { assert } from "../../core/index.ts";
import { headSize, type ModelConfig } from "./config.ts";
import { modelTensors } from "./tensors.ts";

/** Low enough that exp() of it is 0, and finite, because some devices have no infinity. */
export const MASKED = -1e9;

/** The parameters as inputs of a program, by Hugging Face name, in canonical order. */
export type Parameters = ReadonlyMap<string, Tensor>;

export function parameterInputs(c: ModelConfig, prefix = ""): Parameters {
  return new Map(modelTensors(c).map(({ name, shape }) => [name, input(prefix + name, "float32", shape)]));
}

export interface HiddenOptions {
  readonly tokens: Tensor; // (B * T,) int32
  readonly sequences: number;
  /** Keep a layer's input alone for the backward pass and compute the rest again: less memory, a third more work. */
  readonly recomputesLayers?: boolean;
}

/** Hidden states after the last norm: tokens (B * T,) int32 -> (B * T, D). */
export function hiddenStates(c: ModelConfig, p: Parameters, o: HiddenOptions): Tensor {
  const constants = { ...attentionConstants(c), c, sequences: o.sequences };
  let x = gatherRows(parameter(p, "model.embed_tokens.weight"), o.tokens);
  for (let i = 0; i < c.layersCount; i++) {
    const names = [...p.keys()].filter((name) => name.startsWith(`model.layers.${i}.`));
    const layer = ([rows, ...weights]: readonly Tensor[]): Tensor => {
      const byName = new Map(names.map((name, at) => [name, weights[at] as Tensor]));
      return transformerLayer(
        rows as Tensor,
        (name) => parameter(byName, `model.layers.${i}.${name}.weight`),
        constants,
      );
    };
    const inputs = [x, ...names.map((name) => parameter(p, name))] as const;
    x = o.recomputesLayers === true ? recomputed(inputs, layer) : layer(inputs);
  }
  return rmsNorm(x, parameter(p, "model.norm.weight"), c.normEpsilon);
}

function transformerLayer(x: Tensor, weight: WeightOf, o: LayerConstants): Tensor {
  const { normEpsilon } = o.c;
  const seen = add(x, attention(rmsNorm(x, weight("input_layernorm"), normEpsilon), weight, o));
  return add(seen, feedForward(rmsNorm(seen, weight("post_attention_layernorm"), normEpsilon), weight));
}

/** Hidden states (N, D) -> logits (N, V). */
export function logits(c: ModelConfig, p: Parameters, hidden: Tensor): Tensor {
  return gemm(hidden, head(c, p), { b: true });
}

/**
 * Elements of the logits that are computed at a time: 64 MiB of them. Measured: at 110M parameters and a vocabulary of
 * 32,000 the whole logits of 1,024 rows would be 131 MB, several times over.
 */
export const LOGITS_AT_A_TIME: number = 2 ** 24;

/** Mean nats per token; targets (B * T,) int32 -> scalar. */
export function loss(
  c: ModelConfig,
  p: Parameters,
  o: HiddenOptions & Pick<VocabularyLossOptions, "targets" | "withGradient" | "gradientScale">,
): Tensor {
  const rowsPerChunk = Math.max(1, Math.floor(LOGITS_AT_A_TIME / c.vocabSize));
  return vocabularyLoss(hiddenStates(c, p, o), head(c, p), { ...o, rowsPerChunk });
}

function head(c: ModelConfig, p: Parameters): Tensor {
  return parameter(p, c.tiedHead ? "model.embed_tokens.weight" : "lm_head.weight");
}

export type WeightOf = (name: string) => Tensor;

interface LayerConstants extends AttentionConstants {
  readonly c: ModelConfig;
  readonly sequences: number;
}

interface AttentionConstants {
  readonly queryTables: RopeTables;
  readonly keyTables: RopeTables;
  readonly mask: Tensor; // (T, T), 0 where a position may look and MASKED where it may not
}

function attentionConstants(c: ModelConfig): AttentionConstants {
  const T = c.contextLength;
  const tables = { contextLength: T, headSize: headSize(c), theta: c.ropeTheta };
  const mask = Float32Array.from({ length: T * T }, (_, at) => (at % T > Math.floor(at / T) ? MASKED : 0));
  return {
    queryTables: ropeTables({ ...tables, scale: 1 / Math.sqrt(headSize(c)) }),
    keyTables: ropeTables({ ...tables, scale: 1 }),
    mask: constant(mask, [T, T]),
  };
}

/** Grouped-query attention (Ainslie et al. 2023): the G = H / kvHeads queries of a group are rows of one product. */
function attention(
  x: Tensor, // (N, D)
  weight: WeightOf,
  o: LayerConstants,
): Tensor {
  const { c, sequences: B } = o;
  const { contextLength: T, headsCount: H, kvHeadsCount: K } = c;
  const size = headSize(c);
  const split = (name: string, heads: number): Tensor =>
    transpose(reshape(gemm(x, weight(name), { b: true }), [B, T, heads, size]), [0, 2, 1, 3]);

  const q = rope(split("self_attn.q_proj", H), o.queryTables); // (B, H, T, size), times 1 / sqrt(size)
  const k = rope(split("self_attn.k_proj", K), o.keyTables); // (B, K, T, size)
  const v = split("self_attn.v_proj", K); // (B, K, T, size)
  const grouped = reshape(q, [B, K, (H / K) * T, size]);
  const mixed = attend(grouped, k, v, (scores) =>
    reshape(add(reshape(scores, [B, H, T, T]), o.mask), scores.shape),
  ); // (B, K, G * T, size)
  const merged = transpose(reshape(mixed, [B, H, T, size]), [0, 2, 1, 3]);
  return gemm(reshape(merged, [B * T, H * size]), weight("self_attn.o_proj"), { b: true });
}

export function feedForward(x: Tensor, weight: WeightOf): Tensor {
  const gate = gemm(x, weight("mlp.gate_proj"), { b: true });
  const up = gemm(x, weight("mlp.up_proj"), { b: true });
  return gemm(swiGlu(gate, up), weight("mlp.down_proj"), { b: true });
}

export function parameter(p: Parameters, name: string): Tensor {
  const tensor = p.get(name);
  assert(tensor !== undefined, `the model has no parameter ${name}`);
  return tensor;
}

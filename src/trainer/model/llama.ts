/**
 * The model, once, as a staged tensor program: rows of activations (N, D) with N = B * T, and attention in
 * (B, heads, T, headSize). Everything that is trained, measured or generated is compiled from this file.
 */
import { add } from "../graph/arithmetic.ts";
import { reshape, transpose } from "../graph/layout.ts";
import { crossEntropy, gatherRows, rmsNorm, rope, ropeTables, softmax, swiGlu } from "../graph/neural.ts";
import type { RopeTables } from "../graph/neural.ts";
import { flip, gemm, matmul } from "../graph/products.ts";
import { constant, input, type Tensor } from "../graph/tensor.ts";
import { assert } from "../../core/index.ts";
import { headSize, type ModelConfig } from "./config.ts";
import { modelTensors } from "./tensors.ts";

/** Low enough that exp() of it is 0, and finite, because some devices have no infinity. */
const MASKED = -1e9;

/** The parameters as inputs of a program, by Hugging Face name, in canonical order. */
export type Parameters = ReadonlyMap<string, Tensor>;

export function parameterInputs(c: ModelConfig, prefix = ""): Parameters {
  return new Map(modelTensors(c).map(({ name, shape }) => [name, input(prefix + name, "float32", shape)]));
}

/** Hidden states after the last norm: tokens (B * T,) int32 -> (B * T, D). */
export function hiddenStates(c: ModelConfig, p: Parameters, tokens: Tensor, sequences: number): Tensor {
  const layer = { ...attentionConstants(c), c, sequences };
  let x = gatherRows(parameter(p, "model.embed_tokens.weight"), tokens);
  for (let i = 0; i < c.layersCount; i++) {
    const weight = (name: string): Tensor => parameter(p, `model.layers.${i}.${name}.weight`);
    x = add(x, attention(rmsNorm(x, weight("input_layernorm"), c.normEpsilon), weight, layer));
    x = add(x, feedForward(rmsNorm(x, weight("post_attention_layernorm"), c.normEpsilon), weight));
  }
  return rmsNorm(x, parameter(p, "model.norm.weight"), c.normEpsilon);
}

/** Hidden states (N, D) -> logits (N, V). */
export function logits(c: ModelConfig, p: Parameters, hidden: Tensor): Tensor {
  const head = parameter(p, c.tiedHead ? "model.embed_tokens.weight" : "lm_head.weight");
  return gemm(hidden, head, { b: true });
}

/** Mean nats per token; tokens and targets (B * T,) int32 -> scalar. */
export function loss(
  c: ModelConfig,
  p: Parameters,
  o: { tokens: Tensor; targets: Tensor; sequences: number },
): Tensor {
  return crossEntropy(logits(c, p, hiddenStates(c, p, o.tokens, o.sequences)), o.targets);
}

type WeightOf = (name: string) => Tensor;

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
  o: AttentionConstants & { c: ModelConfig; sequences: number },
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
  const scores = reshape(matmul(grouped, flip(k)), [B, H, T, T]);
  const probabilities = softmax(add(scores, o.mask));
  const mixed = matmul(reshape(probabilities, [B, K, (H / K) * T, T]), v); // (B, K, G * T, size)
  const merged = transpose(reshape(mixed, [B, H, T, size]), [0, 2, 1, 3]);
  return gemm(reshape(merged, [B * T, H * size]), weight("self_attn.o_proj"), { b: true });
}

function feedForward(x: Tensor, weight: WeightOf): Tensor {
  const gate = gemm(x, weight("mlp.gate_proj"), { b: true });
  const up = gemm(x, weight("mlp.up_proj"), { b: true });
  return gemm(swiGlu(gate, up), weight("mlp.down_proj"), { b: true });
}

function parameter(p: Parameters, name: string): Tensor {
  const tensor = p.get(name);
  assert(tensor !== undefined, `the model has no parameter ${name}`);
  return tensor;
}

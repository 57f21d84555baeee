/**
 * The same model for text that grows: a few new tokens at a time, with the keys and values of those before them handed
 * in, so that a token costs one row of each product instead of a whole context (the "key-value cache"; Pope et al. 2022,
 * "Efficiently scaling transformer inference", section 2).
 *
 * The cache itself is the caller's, whole and unchanged: only the new rows come out. Tokens behind the last real one are
 * masked from it, so a chunk may be padded.
 */
import { add } from "../graph/arithmetic.ts";
import { reshape, slice, transpose } from "../graph/layout.ts";
import { gatherRows, rmsNorm, type RopeTables, ropeTables } from "../graph/neural.ts";
import { writeOnnx } from "../graph/onnx-writer.ts";
import { flip, gemm, matmul } from "../graph/products.ts";
import { constant, input, stage, type Tensor } from "../graph/tensor.ts";
import { headSize, type ModelConfig } from "./config.ts";
import { feedForward, logits, MASKED, parameter, parameterInputs, type WeightOf } from "./llama.ts";

/** Names of a layer's cache as input, and of its new rows as output. */
export const CACHE = { keys: "keys/", values: "values/" } as const;
export const NEW_ROWS = { keys: "new-keys/", values: "new-values/" } as const;

interface Chunk {
  readonly c: ModelConfig;
  /** n: tokens that come in at once. */
  readonly count: number;
  /** (1,) int64: how many tokens are in the cache. */
  readonly position: Tensor;
  /** (1, T): 0 where the cache holds a token, low where it doesn't. */
  readonly pastMask: Tensor;
  readonly ownMask: Tensor; // (n, n), causal
  readonly queryTables: RopeTables;
  readonly keyTables: RopeTables;
}

/**
 * Weights, `tokens` (n,) int32, `last` (1,) int32: which of them is the last real one, `position` (1,) int64, `mask`
 * (1, T), and for each layer i `keys/i` and `values/i` (1, K, T, headSize) -> `logits` (1, V) of what follows the last
 * one, and `new-keys/i`, `new-values/i` (1, K, n, headSize).
 */
export function incrementalProgram(c: ModelConfig, count: number): Uint8Array {
  const { contextLength: T, kvHeadsCount: K, normEpsilon } = c;
  const size = headSize(c);
  const p = parameterInputs(c);
  const tokens = input("tokens", "int32", [count]);
  const last = input("last", "int32", [1]);
  // Longer than a context by the padding of its last chunk.
  const tables = { contextLength: T + count, headSize: size, theta: c.ropeTheta };
  const causal = Float32Array.from({ length: count * count }, (_, at) =>
    at % count > Math.floor(at / count) ? MASKED : 0,
  );
  const chunk: Chunk = {
    c,
    count,
    position: input("position", "int64", [1]),
    pastMask: input("mask", "float32", [1, T]),
    ownMask: constant(causal, [count, count]),
    queryTables: ropeTables({ ...tables, scale: 1 / Math.sqrt(size) }),
    keyTables: ropeTables({ ...tables, scale: 1 }),
  };
  const outputs: Record<string, Tensor> = {};
  const caches: Tensor[] = [];
  let x = gatherRows(parameter(p, "model.embed_tokens.weight"), tokens);
  for (let i = 0; i < c.layersCount; i++) {
    const weight = (name: string): Tensor => parameter(p, `model.layers.${i}.${name}.weight`);
    const keys = input(`${CACHE.keys}${i}`, "float32", [1, K, T, size]);
    const values = input(`${CACHE.values}${i}`, "float32", [1, K, T, size]);
    const attended = attention(rmsNorm(x, weight("input_layernorm"), normEpsilon), {
      weight,
      keys,
      values,
      chunk,
    });
    x = add(x, attended.mixed);
    x = add(x, feedForward(rmsNorm(x, weight("post_attention_layernorm"), normEpsilon), weight));
    caches.push(keys, values);
    outputs[`${NEW_ROWS.keys}${i}`] = attended.keys;
    outputs[`${NEW_ROWS.values}${i}`] = attended.values;
  }
  const hidden = gatherRows(rmsNorm(x, parameter(p, "model.norm.weight"), normEpsilon), last);
  outputs["logits"] = logits(c, p, hidden);
  const inputs = [...p.values(), tokens, last, chunk.position, chunk.pastMask, ...caches];
  return writeOnnx(inputs, outputs);
}

/** softmax([q past' + mask, q new' + causal]) [past; new], in two products each, so that the cache is never copied. */
function attention(
  x: Tensor, // (n, D)
  o: { weight: WeightOf; keys: Tensor; values: Tensor; chunk: Chunk },
): { mixed: Tensor; keys: Tensor; values: Tensor } {
  const { c, count: n, position, pastMask, ownMask, queryTables, keyTables } = o.chunk;
  const { contextLength: T, headsCount: H, kvHeadsCount: K } = c;
  const size = headSize(c);
  const rows = (H / K) * n;
  const split = (name: string, heads: number): Tensor =>
    transpose(reshape(gemm(x, o.weight(name), { b: true }), [1, n, heads, size]), [0, 2, 1, 3]);

  const q = turned(split("self_attn.q_proj", H), position, queryTables); // (1, H, n, size)
  const keys = turned(split("self_attn.k_proj", K), position, keyTables); // (1, K, n, size)
  const values = split("self_attn.v_proj", K); // (1, K, n, size)
  const grouped = reshape(q, [1, K, rows, size]);
  const past = add(reshape(matmul(grouped, flip(o.keys)), [1, H, n, T]), pastMask);
  const own = add(reshape(matmul(grouped, flip(keys)), [1, H, n, n]), ownMask);
  const probabilities = softmax(concat(past, own)); // (1, H, n, T + n)
  const part = (from: number, to: number): Tensor =>
    reshape(slice(probabilities, 3, [from, to]), [1, K, rows, to - from]);
  const mixed = add(matmul(part(0, T), o.values), matmul(part(T, T + n), values)); // (1, K, rows, size)
  const merged = transpose(reshape(mixed, [1, H, n, size]), [0, 2, 1, 3]);
  const out = gemm(reshape(merged, [n, H * size]), o.weight("self_attn.o_proj"), { b: true });
  return { mixed: out, keys, values };
}

/** `rope` from a position on that is known only when the program runs. */
function turned(x: Tensor, position: Tensor, tables: RopeTables): Tensor {
  return stage("RotaryEmbedding", [x, position, tables.cos, tables.sin], {
    shape: x.shape,
    domain: "com.microsoft",
  });
}

/** Over the last axis; text is only read here, so no gradient. */
function softmax(x: Tensor): Tensor {
  const axis = { kind: "int", value: x.shape.length - 1 } as const;
  return stage("Softmax", [x], { shape: x.shape, attributes: { axis } });
}

/** Along the last axis. */
function concat(a: Tensor, b: Tensor): Tensor {
  const axis = a.shape.length - 1;
  const length = (a.shape[axis] as number) + (b.shape[axis] as number);
  return stage("Concat", [a, b], {
    shape: [...a.shape.slice(0, -1), length],
    attributes: { axis: { kind: "int", value: axis } },
  });
}

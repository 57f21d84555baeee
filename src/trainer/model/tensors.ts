/** Names, shapes and order of a model's parameters: Hugging Face's LlamaForCausalLM, one after another in one array. */
import { headSize, type ModelConfig } from "./config.ts";

export interface TensorSpec {
  /** Hugging Face's name. */
  readonly name: string;
  /** Matrices are (out, in), as Hugging Face keeps them. */
  readonly shape: readonly number[];
  /** `scaled-normal`: projections into the residual stream, divided by sqrt(2 * layers). */
  readonly init: "normal" | "scaled-normal" | "ones";
  /** Whether weight decay pulls on it: matrices only. */
  readonly decay: boolean;
}

/** The model's tensors in canonical order, which is their order in the flat array of (P,) weights. */
export function modelTensors(c: ModelConfig): readonly TensorSpec[] {
  const { hiddenSize: D, intermediateSize: F, vocabSize: V } = c;
  const kv = c.kvHeadsCount * headSize(c);
  const specs: TensorSpec[] = [matrix("model.embed_tokens.weight", [V, D])];
  for (let i = 0; i < c.layersCount; i++) {
    const at = `model.layers.${i}`;
    specs.push(
      norm(`${at}.input_layernorm.weight`, D),
      matrix(`${at}.self_attn.q_proj.weight`, [D, D]),
      matrix(`${at}.self_attn.k_proj.weight`, [kv, D]),
      matrix(`${at}.self_attn.v_proj.weight`, [kv, D]),
      matrix(`${at}.self_attn.o_proj.weight`, [D, D], "scaled-normal"),
      norm(`${at}.post_attention_layernorm.weight`, D),
      matrix(`${at}.mlp.gate_proj.weight`, [F, D]),
      matrix(`${at}.mlp.up_proj.weight`, [F, D]),
      matrix(`${at}.mlp.down_proj.weight`, [D, F], "scaled-normal"),
    );
  }
  specs.push(norm("model.norm.weight", D));
  if (!c.tiedHead) specs.push(matrix("lm_head.weight", [V, D]));
  return specs;
}

/** Elements of each tensor, in canonical order. */
export function tensorLengths(c: ModelConfig): number[] {
  return modelTensors(c).map(tensorLength);
}

export function tensorLength(spec: TensorSpec): number {
  return spec.shape.reduce((product, length) => product * length, 1);
}

/** The part of a flat (P,) array that belongs to each tensor, by name; views, no copies. */
export function tensorViews<A extends Float32Array | Int32Array>(c: ModelConfig, flat: A): Map<string, A> {
  const views = new Map<string, A>();
  let at = 0;
  for (const spec of modelTensors(c)) {
    const length = tensorLength(spec);
    views.set(spec.name, flat.subarray(at, at + length) as A);
    at += length;
  }
  return views;
}

function matrix(name: string, shape: [number, number], init: TensorSpec["init"] = "normal"): TensorSpec {
  return { name, shape, init, decay: true };
}

function norm(name: string, length: number): TensorSpec {
  return { name, shape: [length], init: "ones", decay: false };
}

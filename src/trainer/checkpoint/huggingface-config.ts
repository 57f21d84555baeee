/** Our model config <-> Hugging Face's `config.json` of a LlamaForCausalLM. */
import { z } from "zod";
import { messageOf, StarlingError } from "../../core/index.ts";
import { headSize, modelConfigSchema, type ModelConfig } from "../model/config.ts";

/** Other keys are allowed, since tools add theirs; these change what the weights mean, so they must be ours. */
const fileSchema = z.object({
  model_type: z.literal("llama"),
  vocab_size: z.number(),
  max_position_embeddings: z.number(),
  hidden_size: z.number(),
  num_hidden_layers: z.number(),
  num_attention_heads: z.number(),
  num_key_value_heads: z.number(),
  head_dim: z.number().optional(),
  intermediate_size: z.number(),
  rope_theta: z.number(),
  rope_scaling: z.null().optional(),
  rms_norm_eps: z.number(),
  tie_word_embeddings: z.boolean(),
  hidden_act: z.literal("silu"),
  attention_bias: z.literal(false).optional(),
  mlp_bias: z.literal(false).optional(),
});

export function writeConfig(c: ModelConfig, endToken: number | null): Uint8Array {
  const file = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: c.vocabSize,
    max_position_embeddings: c.contextLength,
    hidden_size: c.hiddenSize,
    num_hidden_layers: c.layersCount,
    num_attention_heads: c.headsCount,
    num_key_value_heads: c.kvHeadsCount,
    head_dim: headSize(c),
    intermediate_size: c.intermediateSize,
    rope_theta: c.ropeTheta,
    rope_scaling: null,
    rms_norm_eps: c.normEpsilon,
    tie_word_embeddings: c.tiedHead,
    hidden_act: "silu",
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: null,
    eos_token_id: endToken,
    dtype: "float32",
    // The name that versions before 5 read.
    torch_dtype: "float32",
  } satisfies z.input<typeof fileSchema> & Record<string, unknown>;
  return new TextEncoder().encode(`${JSON.stringify(file, null, 2)}\n`);
}

/** How the usual tools generate where they are told nothing else: as `starling generate` does. */
export function writeGenerationConfig(endToken: number | null): Uint8Array {
  const file = {
    do_sample: true,
    temperature: 0.8,
    top_p: 1,
    eos_token_id: endToken,
    pad_token_id: endToken,
  };
  return new TextEncoder().encode(`${JSON.stringify(file, null, 2)}\n`);
}

/** @throws StarlingError `CHECKPOINT_INVALID` when it is not a Llama that we can compute. */
export function readConfig(bytes: Uint8Array): ModelConfig {
  const file = fileSchema.safeParse(parseJson(bytes));
  if (!file.success) throw invalid(z.prettifyError(file.error));
  const { data } = file;
  const model = modelConfigSchema.safeParse({
    vocabSize: data.vocab_size,
    contextLength: data.max_position_embeddings,
    hiddenSize: data.hidden_size,
    layersCount: data.num_hidden_layers,
    headsCount: data.num_attention_heads,
    kvHeadsCount: data.num_key_value_heads,
    intermediateSize: data.intermediate_size,
    ropeTheta: data.rope_theta,
    normEpsilon: data.rms_norm_eps,
    tiedHead: data.tie_word_embeddings,
  });
  if (!model.success) throw invalid(z.prettifyError(model.error));
  const expected = headSize(model.data);
  if (data.head_dim !== undefined && data.head_dim !== expected) {
    throw invalid(`expected head_dim ${expected}, got ${data.head_dim}`);
  }
  return model.data;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    // Translated: no UTF-8 or no JSON.
    throw invalid(messageOf(error));
  }
}

function invalid(detail: string): StarlingError {
  return new StarlingError(
    "CHECKPOINT_INVALID",
    `config.json: expected a Llama that this version can compute, got: ${detail}`,
  );
}

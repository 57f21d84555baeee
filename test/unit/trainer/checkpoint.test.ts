import fc from "fast-check";
import { expect, test } from "vitest";
import { ONE, toFixed } from "../../../src/core/index.ts";
import {
  exportCheckpoint,
  importCheckpoint,
  initialWeights,
  modelPresets,
  modelTensors,
  parametersCount,
} from "../../../src/trainer/index.ts";
import { readSafetensors, writeSafetensors } from "../../../src/trainer/checkpoint/safetensors.ts";

const model = { ...modelPresets.tiny, tiedHead: false };
const utf8 = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

/** The files of initial weights with one of them changed. */
function filesWith(name: string, change: (bytes: Uint8Array) => Uint8Array): Map<string, Uint8Array> {
  const files = exportCheckpoint(model, initialWeights(model, "x"));
  files.set(name, change(files.get(name) as Uint8Array));
  return files;
}

test("F15: a checkpoint comes back exactly, whatever the int32 weights", () => {
  const extremes = [2 ** 31 - 1, -(2 ** 31), ONE + 1, -ONE - 1, ONE - 1, 2 ** 30 + 1, 0, -1];
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.nat(parametersCount(model) - 1), fc.oneof(fc.constantFrom(...extremes), fc.integer())),
        {
          maxLength: 300,
        },
      ),
      (changes) => {
        const weights = initialWeights(model, "x");
        for (const [at, value] of changes) weights[at] = value;
        const back = importCheckpoint(exportCheckpoint(model, weights));
        expect(back.model).toEqual(model);
        expect(Buffer.compare(Buffer.from(back.weights.buffer), Buffer.from(weights.buffer))).toBe(0);
      },
    ),
    { numRuns: 30 },
  );
});

test("F15: a checkpoint is a Hugging Face LlamaForCausalLM", () => {
  const files = exportCheckpoint(model, initialWeights(model, "x"));
  expect([...files.keys()]).toEqual([
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "remainder.safetensors",
  ]);
  expect(JSON.parse(utf8(files.get("config.json")))).toMatchObject({
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    num_key_value_heads: 2,
    torch_dtype: "float32",
  });
  const { metadata, tensors } = readSafetensors(files.get("model.safetensors") as Uint8Array);
  expect(metadata.format).toBe("pt");
  expect([...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }))).toEqual(
    modelTensors(model).map(({ name, shape }) => ({ name, dtype: "F32", shape })),
  );
  // Weights within +-1 need no remainder.
  expect(readSafetensors(files.get("remainder.safetensors") as Uint8Array).tensors.size).toBe(0);
});

test("a checkpoint of other tools, without remainder, is rounded to fixed point", () => {
  const files = exportCheckpoint(model, initialWeights(model, "x"));
  const { tensors } = readSafetensors(files.get("model.safetensors") as Uint8Array);
  const first = tensors.get("model.embed_tokens.weight");
  if (first === undefined) throw new Error("no embedding");
  const floats = new Float32Array(first.bytes.length / 4).fill(0.1);
  const changed = new Map(tensors).set("model.embed_tokens.weight", {
    ...first,
    bytes: new Uint8Array(floats.buffer),
  });
  files.set("model.safetensors", writeSafetensors({ metadata: { format: "pt" }, tensors: changed }));
  files.delete("remainder.safetensors");
  expect(importCheckpoint(files).weights[0]).toBe(toFixed(Math.fround(0.1)));
});

const edit =
  (from: string, to: string) =>
  (bytes: Uint8Array): Uint8Array =>
    Uint8Array.from(Buffer.from(Buffer.from(bytes).toString("latin1").replace(from, to), "latin1"));

test.for([
  ["config.json", edit('"silu"', '"gelu"'), "CHECKPOINT_INVALID", "hidden_act"],
  [
    "config.json",
    edit('"num_attention_heads": 4', '"num_attention_heads": 5'),
    "CHECKPOINT_INVALID",
    "divide hiddenSize",
  ],
  ["config.json", edit('"head_dim": 8', '"head_dim": 9'), "CHECKPOINT_INVALID", "expected head_dim 8, got 9"],
  ["config.json", edit("{", "["), "CHECKPOINT_INVALID", "config.json"],
  ["config.json", edit('"vocab_size": 256', '"vocab_size": 255'), "CHECKPOINT_INVALID", "8160 elements"],
  ["model.safetensors", edit("lm_head.weight", "lm_tail.weight"), "CHECKPOINT_INVALID", "lm_tail.weight"],
  ["model.safetensors", edit('"F32"', '"F99"'), "SAFETENSORS_INVALID", "dtype"],
  ["model.safetensors", edit("[256,32]", "[256,31]"), "SAFETENSORS_INVALID", "31744 bytes"],
  ["model.safetensors", (b: Uint8Array) => b.subarray(0, b.length - 1), "SAFETENSORS_INVALID", "within"],
  [
    "model.safetensors",
    (b: Uint8Array) => Uint8Array.of(...b.subarray(0, 500)),
    "SAFETENSORS_INVALID",
    "header",
  ],
  ["model.safetensors", () => new Uint8Array(3), "SAFETENSORS_INVALID", "header"],
  ["remainder.safetensors", () => new Uint8Array(0), "SAFETENSORS_INVALID", "header"],
] as const)("importCheckpoint refuses a wrong %s: %#", ([name, change, code, part]) => {
  expect(() => importCheckpoint(filesWith(name, change))).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(part) as string }) as Error,
  );
});

test("importCheckpoint refuses a missing file, a missing remainder, and weights out of range", () => {
  const files = exportCheckpoint(model, initialWeights(model, "x"));
  for (const name of ["config.json", "model.safetensors", "remainder.safetensors"]) {
    const without = new Map(files);
    without.delete(name);
    expect(() => importCheckpoint(without)).toThrow(`expected a file ${name}`);
  }
  const { metadata, tensors } = readSafetensors(files.get("model.safetensors") as Uint8Array);
  for (const poison of [NaN, Infinity, 128.5, 128]) {
    const norm = new Float32Array(32).fill(poison);
    const entry = { dtype: "F32", shape: [32], bytes: new Uint8Array(norm.buffer) } as const;
    const poisoned = new Map(tensors).set("model.norm.weight", entry);
    const file = writeSafetensors({ metadata: { ...metadata }, tensors: poisoned });
    const attempt = (): unknown => importCheckpoint(new Map(files).set("model.safetensors", file));
    if (poison === 128) expect(attempt).not.toThrow();
    else expect(attempt).toThrow("model.norm.weight within +-128");
  }
});

test("readSafetensors throws only StarlingError, for any bytes", () => {
  const good = exportCheckpoint(model, initialWeights(model, "x")).get("remainder.safetensors") as Uint8Array;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(100), (noise, at) => {
      for (const file of [
        noise,
        Uint8Array.from([...good.subarray(0, at), ...noise, ...good.subarray(at)]),
      ]) {
        try {
          readSafetensors(file);
        } catch (error) {
          expect(error).toMatchObject({ code: "SAFETENSORS_INVALID" });
        }
      }
    }),
  );
});

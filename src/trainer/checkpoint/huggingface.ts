/**
 * Weights <-> the files of a Hugging Face LlamaForCausalLM checkpoint, exactly. float32 holds 24 significant bits
 * and our fixed point has up to 31, so weights beyond +-1 lose low bits in `model.safetensors`; what was lost goes,
 * sparse, into `remainder.safetensors`, which other tools need not read.
 */
import { bytesOf, ONE, StarlingError, toFixed, toFloats } from "../../core/index.ts";
import { parametersCount, type ModelConfig } from "../model/config.ts";
import { modelTensors, tensorLength, tensorViews } from "../model/tensors.ts";
import { readConfig, writeConfig, writeGenerationConfig } from "./huggingface-config.ts";
import { readSafetensors, writeSafetensors, type SafeTensor, type SafetensorsDtype } from "./safetensors.ts";

export const CONFIG_FILE = "config.json";
export const WEIGHTS_FILE = "model.safetensors";
const GENERATION_FILE = "generation_config.json";
export const REMAINDER_FILE = "remainder.safetensors";

const INDICES = ".indices";
const VALUES = ".values";

/** Of the names in a folder, those that `importCheckpoint` wants. */
export function checkpointFiles(names: readonly string[]): string[] {
  return [CONFIG_FILE, WEIGHTS_FILE, ...names.filter((name) => name === REMAINDER_FILE)];
}

/** Fixed point weights (P,) -> the checkpoint's files by name. */
export function exportCheckpoint(
  c: ModelConfig,
  weights: Int32Array,
  endToken: number | null = null,
): Map<string, Uint8Array> {
  if (weights.length !== parametersCount(c)) {
    throw invalid(`${parametersCount(c)} weights`, `${weights.length}`);
  }
  const tensors = new Map<string, SafeTensor>();
  const remainders = new Map<string, SafeTensor>();
  const views = tensorViews(c, weights);
  for (const { name, shape } of modelTensors(c)) {
    const fixed = views.get(name) as Int32Array;
    const floats = toFloats(fixed);
    tensors.set(name, { dtype: "F32", shape, bytes: bytesOf(floats) });
    const indices: number[] = [];
    fixed.forEach((value, i) => {
      if (value !== (floats[i] as number) * ONE) indices.push(i);
    });
    if (indices.length === 0) continue;
    // Half a unit in the last place of a float below 2^7 is 2^6 fixed-point units: an int8 holds it.
    const rest = Int8Array.from(indices, (i) => (fixed[i] as number) - (floats[i] as number) * ONE);
    const length = [indices.length];
    remainders.set(name + INDICES, { dtype: "I32", shape: length, bytes: bytesOf(Int32Array.from(indices)) });
    remainders.set(name + VALUES, { dtype: "I8", shape: length, bytes: bytesOf(rest) });
  }
  const metadata = { format: "pt", remainder: REMAINDER_FILE };
  return new Map([
    [CONFIG_FILE, writeConfig(c, endToken)],
    [GENERATION_FILE, writeGenerationConfig(endToken)],
    [WEIGHTS_FILE, writeSafetensors({ metadata, tensors })],
    [REMAINDER_FILE, writeSafetensors({ metadata: {}, tensors: remainders })],
  ]);
}

/**
 * The files of a checkpoint -> its model and weights (P,) in fixed point: exactly what was exported. A checkpoint
 * that other tools made has no remainder and is rounded to fixed point.
 * @throws StarlingError `CHECKPOINT_INVALID` or `SAFETENSORS_INVALID` on anything missing, extra or out of range.
 */
export function importCheckpoint(files: ReadonlyMap<string, Uint8Array>): {
  model: ModelConfig;
  weights: Int32Array;
} {
  const file = (name: string): Uint8Array => {
    const bytes = files.get(name);
    if (bytes === undefined) throw invalid(`a file ${name}`, [...files.keys()].join(", ") || "no files");
    return bytes;
  };
  const model = readConfig(file(CONFIG_FILE));
  const { metadata, tensors } = readSafetensors(file(WEIGHTS_FILE));
  const remainders =
    metadata.remainder === undefined
      ? new Map<string, SafeTensor>()
      : readSafetensors(file(REMAINDER_FILE)).tensors;
  const specs = modelTensors(model);
  refuseStrangers(
    "tensors",
    tensors,
    specs.map(({ name }) => name),
  );
  refuseStrangers(
    "remainders",
    remainders,
    specs.flatMap(({ name }) => [name + INDICES, name + VALUES]),
  );
  // Every tensor is looked at before the (P,) array is made: a small file can't make us allocate a large one.
  const floats = specs.map((spec) => floatsOf(tensors, spec.name, tensorLength(spec)));
  const weights = new Int32Array(parametersCount(model));
  const views = tensorViews(model, weights);
  specs.forEach(({ name }, at) => {
    const target = views.get(name) as Int32Array;
    fillFixed(target, floats[at] as Float32Array, {
      name,
      rest: remainderOf(remainders, name, target.length),
    });
  });
  return { model, weights };
}

/** target = floats in fixed point + remainders. */
function fillFixed(
  target: Int32Array,
  floats: Float32Array,
  { name, rest }: { name: string; rest: ReadonlyMap<number, number> },
): void {
  floats.forEach((value, i) => {
    if (!(Math.abs(value) <= 128)) throw invalid(`${name} within +-128`, `${value} at ${i}`);
    const remainder = rest.get(i);
    const fixed = remainder === undefined ? toFixed(value) : value * ONE + remainder;
    if (!Number.isInteger(fixed) || fixed < -(2 ** 31) || fixed >= 2 ** 31) {
      throw invalid(`an int32 for ${name} at ${i}`, `${value} * 2^24 + ${remainder ?? 0}`);
    }
    target[i] = fixed;
  });
}

/** The remainders of one tensor by index; indices ascend. */
function remainderOf(
  remainders: ReadonlyMap<string, SafeTensor>,
  name: string,
  length: number,
): ReadonlyMap<number, number> {
  if (!remainders.has(name + INDICES) && !remainders.has(name + VALUES)) return new Map();
  const indices = new Int32Array(copyOf(remainders, name + INDICES, "I32"));
  const values = new Int8Array(copyOf(remainders, name + VALUES, "I8"));
  if (indices.length !== values.length) {
    throw invalid(`as many remainders as indices of ${name}, ${indices.length}`, `${values.length}`);
  }
  indices.forEach((index, i) => {
    const previous = i === 0 ? -1 : (indices[i - 1] as number);
    if (index <= previous || index >= length) {
      throw invalid(`ascending indices below ${length} for ${name}`, `${index} after ${previous}`);
    }
  });
  return new Map(Array.from(indices, (index, i) => [index, values[i] as number]));
}

function floatsOf(tensors: ReadonlyMap<string, SafeTensor>, name: string, length: number): Float32Array {
  const floats = new Float32Array(copyOf(tensors, name, "F32"));
  if (floats.length !== length) throw invalid(`${length} elements of ${name}`, `${floats.length}`);
  return floats;
}

/** A tensor's bytes in a buffer of their own, since a file's offsets need not be aligned. */
function copyOf(
  tensors: ReadonlyMap<string, SafeTensor>,
  name: string,
  dtype: SafetensorsDtype,
): ArrayBuffer {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw invalid(`a tensor ${name}`, "none");
  if (tensor.dtype !== dtype) throw invalid(`${name} of dtype ${dtype}`, tensor.dtype);
  return new Uint8Array(tensor.bytes).buffer;
}

function refuseStrangers(
  what: string,
  tensors: ReadonlyMap<string, SafeTensor>,
  known: readonly string[],
): void {
  const names = new Set(known);
  const stranger = [...tensors.keys()].find((name) => !names.has(name));
  if (stranger !== undefined) throw invalid(`only ${what} that config.json implies`, stranger);
}

function invalid(expected: string, came: string): StarlingError {
  return new StarlingError(
    "CHECKPOINT_INVALID",
    `checkpoint: expected ${expected}, got ${came}; fetch or export it again`,
  );
}

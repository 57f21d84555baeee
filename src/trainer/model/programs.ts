/**
 * The graphs that engines run, as ONNX bytes. All take the parameters by their Hugging Face names; batches are
 * (B, T + 1) int32, whose row holds T inputs and, one later, T targets.
 */
import { adamW, adamWUpdate, type AdamScalars, type AdamState } from "../graph/adamw.ts";
import { add, div, mul, sqrt, sumOfSquares } from "../graph/arithmetic.ts";
import { differentiate } from "../graph/differentiate.ts";
import { halveProducts } from "../graph/half-products.ts";
import { reshape, slice } from "../graph/layout.ts";
import { loop, pick } from "../graph/loop.ts";
import { gatherRows } from "../graph/neural.ts";
import { after } from "../graph/order.ts";
import { writeOnnx } from "../graph/onnx-writer.ts";
import { ANY_LENGTH, input, scalar, stage, type Tensor } from "../graph/tensor.ts";
import type { Optimizer } from "../optimizer.ts";
import type { ModelConfig } from "./config.ts";
import { hiddenStates, logits, loss, parameterInputs, type Parameters } from "./llama.ts";
import { modelTensors } from "./tensors.ts";

/** Names of a program's inputs and outputs that belong to a parameter, beside the parameter's own. */
export const MOMENT1 = "moment1/";
export const MOMENT2 = "moment2/";
export const UPDATED = "updated/";
export const GRADIENT = "gradient/";
export const SUM = "sum/";

/**
 * One optimiser step: weights, moments, batch, scalars, with `mixedPrecision` `lossScale` -> `loss`, `gradientNorm`,
 * `applied`, and `updated/...` of all state.
 */
export function trainingProgram(
  c: ModelConfig,
  optimizer: Optimizer,
  o: { sequences: number; mixedPrecision?: boolean; memory?: GradientMemory | undefined },
): Uint8Array {
  const state = stateInputs(c);
  const scalars = {
    stepSize: input("stepSize", "float32", []),
    epsilon: input("epsilon", "float32", []),
    shrink: input("shrink", "float32", []),
  };
  const batch = batchInput(c, o.sequences);
  const lossScale = o.mixedPrecision === true ? input("lossScale", "float32", []) : undefined;
  const memory = o.memory && { memory: o.memory };
  const step = stagedStep(c, optimizer, {
    state,
    batch,
    scalars,
    ...memory,
    ...(lossScale && { lossScale }),
  });
  const outputs: Record<string, Tensor> = {
    loss: step.loss,
    gradientNorm: step.gradientNorm,
    applied: step.applied,
  };
  for (const [name, tensor] of step.updated) outputs[UPDATED + name] = tensor;
  const inputs = [...state.values(), batch, ...Object.values(scalars)];
  if (lossScale === undefined) return writeOnnx(inputs, outputs);
  return writeOnnx([...inputs, lossScale], halveProducts(outputs));
}

/** Weights, first and second moments as a program's inputs, by name. */
function stateInputs(c: ModelConfig): Map<string, Tensor> {
  const names = ["", MOMENT1, MOMENT2].flatMap((prefix) =>
    [...parameterInputs(c, prefix)].map(([name, tensor]) => [prefix + name, tensor] as const),
  );
  return new Map(names);
}

interface StagedStep {
  readonly loss: Tensor;
  readonly gradientNorm: Tensor;
  readonly applied: Tensor;
  /** The state's tensors after the step, by the same names in the same order. */
  readonly updated: ReadonlyMap<string, Tensor>;
}

function stagedStep(
  c: ModelConfig,
  optimizer: Optimizer,
  o: {
    state: ReadonlyMap<string, Tensor>;
    batch: Tensor;
    scalars: AdamScalars;
    memory?: GradientMemory;
    lossScale?: Tensor;
  },
): StagedStep {
  const specs = modelTensors(c);
  const part = (prefix: string, name: string): Tensor => o.state.get(prefix + name) as Tensor;
  const p = new Map(specs.map(({ name }) => [name, part("", name)]));
  const { lossScale } = o;
  const { lossNats, gradients: scaled } = stagedGradients(c, p, o);
  const gradients = lossScale === undefined ? scaled : scaled.map((g) => div(g, lossScale));
  const parameters = specs.map(({ name, decay }, i) => ({
    weight: part("", name),
    moment1: part(MOMENT1, name),
    moment2: part(MOMENT2, name),
    gradient: gradients[i] as Tensor,
    decay,
  }));
  const { gradientNorm, applied, updated } = adamW(parameters, o.scalars, { ...optimizer, loss: lossNats });
  const named = (prefix: string, key: keyof AdamState): (readonly [string, Tensor])[] =>
    specs.map(({ name }, i) => [prefix + name, (updated[i] as AdamState)[key]]);
  const after = new Map([...named("", "weight"), ...named(MOMENT1, "moment1"), ...named(MOMENT2, "moment2")]);
  return { loss: lossNats, gradientNorm, applied, updated: after };
}

/**
 * The loss of a batch and its gradients, times `lossScale` where there is one. With micro-batches each waits for the sums
 * of the one before, so that the values of one alone are alive, whatever order the runtime would like.
 */
function stagedGradients(
  c: ModelConfig,
  p: Parameters,
  { batch, memory = {}, lossScale }: { batch: Tensor; memory?: GradientMemory; lossScale?: Tensor },
): { lossNats: Tensor; gradients: readonly Tensor[] } {
  const [sequences] = batch.shape as [number];
  const { microSequences = sequences, recomputesLayers = false } = memory;
  const count = sequences / microSequences;
  const share = scalar(1 / count);
  const scale = lossScale === undefined ? share : mul(lossScale, share);
  const losses: Tensor[] = [];
  let sums: readonly Tensor[] | undefined;
  for (let at = 0; at < sequences; at += microSequences) {
    const part = count === 1 ? batch : slice(batch, 0, [at, at + microSequences]);
    const waiting = sums === undefined ? part : sums.reduce(after, part);
    const o = { batch: waiting, recomputesLayers, withGradient: true };
    const isPlain = count === 1 && lossScale === undefined;
    const lossNats = lossOfBatch(c, p, isPlain ? o : { ...o, gradientScale: scale });
    const fresh = differentiate(lossNats, [...p.values()]);
    sums = sums === undefined ? fresh : sums.map((sum, i) => add(sum, fresh[i] as Tensor));
    losses.push(lossNats);
  }
  return { lossNats: mul(losses.reduce(add), share), gradients: sums ?? [] };
}

/**
 * Up to `stepsMax` = K optimiser steps in one run, as many as `count` (int64) says: weights, moments, `batches`
 * (K, B, T + 1), `stepSizes` (K, K), `epsilons` (K,), `shrinks` (K,) -> `loss`, `gradientNorm`, `applied` (count,), and
 * `updated/...` of all state. A step that is not applied does not count for Adam's bias correction, so what
 * depends on that is looked up by how many were applied before: stepSizes[step, applied], epsilons[applied].
 */
export function loopProgram(
  c: ModelConfig,
  optimizer: Optimizer,
  o: { sequences: number; stepsMax: number; memory?: GradientMemory | undefined },
): Uint8Array {
  const { sequences, stepsMax: K, memory } = o;
  const state = stateInputs(c);
  const names = [...state.keys()];
  const count = input("count", "int64", []);
  const batches = input("batches", "int32", [K, sequences, c.contextLength + 1]);
  const stepSizes = input("stepSizes", "float32", [K, K]);
  const epsilons = input("epsilons", "float32", [K]);
  const shrinks = input("shrinks", "float32", [K]);
  const results = loop(count, [scalar(0), ...state.values()], (iteration, [appliedBefore, ...carried]) => {
    const done = appliedBefore as Tensor;
    const at = stage("Cast", [done], {
      shape: [],
      type: "int64",
      attributes: { to: { kind: "int", value: 7 } },
    });
    const step = stagedStep(c, optimizer, {
      state: new Map(names.map((name, i) => [name, carried[i] as Tensor])),
      batch: pick(batches, iteration),
      ...(memory && { memory }),
      scalars: {
        stepSize: pick(pick(stepSizes, iteration), at),
        epsilon: pick(epsilons, at),
        shrink: pick(shrinks, iteration),
      },
    });
    return {
      state: [add(done, step.applied), ...step.updated.values()],
      each: [step.loss, step.gradientNorm, step.applied],
    };
  });
  const [lossNats, gradientNorm, applied] = results.each as [Tensor, Tensor, Tensor];
  const outputs: Record<string, Tensor> = { loss: lossNats, gradientNorm, applied };
  names.forEach((name, i) => (outputs[UPDATED + name] = results.state[i + 1] as Tensor));
  return writeOnnx([...state.values(), count, batches, stepSizes, epsilons, shrinks], outputs);
}

/** How a host trades time for memory; results are the same up to the order of float32 sums. */
export interface GradientMemory {
  /** Sequences of a batch that are computed at a time: a divisor of the batch's. */
  readonly microSequences?: number;
  /** Keep each layer's input alone for the backward pass, and compute the rest of the layer again. */
  readonly recomputesLayers?: boolean;
}

export interface GradientOptions {
  /** Sequences of one batch, or of one micro-batch of it. */
  readonly sequences: number;
  readonly recomputesLayers?: boolean;
  /** Whether `gradient/...` is added to what `sum/...` held before. */
  readonly accumulates?: boolean;
}

/** Weights, batch, with `accumulates` `sum/...` -> `loss`, `gradient/...` of every parameter, and their `gradientNorm`. */
export function gradientProgram(c: ModelConfig, o: GradientOptions): Uint8Array {
  const p = parameterInputs(c);
  const sums = o.accumulates === true ? parameterInputs(c, SUM) : undefined;
  const batch = batchInput(c, o.sequences);
  const lossNats = lossOfBatch(c, p, { ...o, batch, withGradient: true });
  const fresh = differentiate(lossNats, [...p.values()]);
  const names = [...p.keys()];
  const gradients = fresh.map((gradient, i) => {
    const sum = sums?.get(names[i] as string);
    return sum === undefined ? gradient : add(sum, gradient);
  });
  const gradientNorm = sqrt(gradients.map(sumOfSquares).reduce(add));
  const named = names.map((name, i) => [GRADIENT + name, gradients[i] as Tensor] as const);
  const inputs = [...p.values(), ...(sums?.values() ?? []), batch];
  return writeOnnx(inputs, { loss: lossNats, gradientNorm, ...Object.fromEntries(named) });
}

/**
 * AdamW on any stretch of n parameters: `weight`, `moment1`, `moment2`, `gradient` (n,), scalars -> `updated/...` of the
 * first three. The caller has judged the gradient already.
 */
export function updateProgram(optimizer: Optimizer): Uint8Array {
  const stretch = (name: string): Tensor => input(name, "float32", [ANY_LENGTH]);
  const [weight, moment1, moment2] = [stretch("weight"), stretch("moment1"), stretch("moment2")];
  const gradient = stretch("gradient");
  const scalar = (name: string): Tensor => input(name, "float32", []);
  const scalars = {
    stepSize: scalar("stepSize"),
    epsilon: scalar("epsilon"),
    shrink: scalar("shrink"),
    blend1: scalar("blend1"),
    blend2: scalar("blend2"),
  };
  const updated = adamWUpdate({ weight, moment1, moment2, gradient }, scalars, optimizer);
  const inputs = [weight, moment1, moment2, gradient, ...Object.values(scalars)];
  const outputs = Object.entries(updated).map(([name, tensor]) => [UPDATED + name, tensor]);
  return writeOnnx(inputs, Object.fromEntries(outputs) as Record<string, Tensor>);
}

/** Weights, batch -> `loss`. */
export function evaluationProgram(c: ModelConfig, sequences: number): Uint8Array {
  const p = parameterInputs(c);
  const batch = batchInput(c, sequences);
  return writeOnnx([...p.values(), batch], { loss: lossOfBatch(c, p, { batch, withGradient: false }) });
}

/** Weights, `tokens` (T,) int32, `position` (1,) int32 -> `logits` (1, V) of what follows that position. */
export function logitsProgram(c: ModelConfig): Uint8Array {
  const p = parameterInputs(c);
  const tokens = input("tokens", "int32", [c.contextLength]);
  const position = input("position", "int32", [1]);
  const hidden = gatherRows(hiddenStates(c, p, { tokens, sequences: 1 }), position); // (1, D)
  return writeOnnx([...p.values(), tokens, position], { logits: logits(c, p, hidden) });
}

function batchInput(c: ModelConfig, sequences: number): Tensor {
  return input("batch", "int32", [sequences, c.contextLength + 1]);
}

function lossOfBatch(
  c: ModelConfig,
  p: Parameters,
  o: { batch: Tensor; withGradient: boolean; gradientScale?: Tensor; recomputesLayers?: boolean },
): Tensor {
  const [sequences] = o.batch.shape as [number];
  const T = c.contextLength;
  const part = (from: number): Tensor => reshape(slice(o.batch, 1, [from, from + T]), [sequences * T]);
  return loss(c, p, { ...o, tokens: part(0), targets: part(1), sequences });
}

/** T4: a phase that the host can't hold is refused before it starts, with what to lower. */
import { describe, expect, test } from "vitest";
import { silentLog } from "../../../src/core/index.ts";
import { NodeEngine } from "../../../src/node/engine/node-engine.ts";
import { estimatePhase } from "../../../src/node/run/estimate.ts";
import { fitGpuMemory, fitMemory } from "../../../src/node/run/memory.ts";
import type { Phase } from "../../../src/node/run/manifest.ts";
import { type EngineName, deviceTrainingBytes } from "../../../src/trainer/index.ts";
import { presetOf } from "../../../src/node/presets/presets.ts";

const [rung] = presetOf("open-500m").rungs;
const phase = { ...rung?.phase, tokensBudget: 1 } as Phase;
const big = { ...phase, batch: { ...phase.batch, sequences: 4 } };

function bytesOf(microSequences: number, recomputesLayers: boolean): number {
  return estimatePhase(big, { memory: { microSequences, recomputesLayers } }).memoryBytes;
}

test("T4: half a billion parameters fit into 64 GB as they are", () => {
  expect(() => fitMemory(phase, { memory: {}, availableBytes: 64e9 })).not.toThrow();
});

test("T4: what does not fit is refused, and the advice that is given fits", () => {
  const availableBytes = bytesOf(1, true);
  const memory = { microSequences: 4 };
  expect(() => fitMemory(big, { memory, availableBytes })).toThrowError(/--micro-batch \d/);
  let message = "";
  try {
    fitMemory(big, { memory, availableBytes });
  } catch (error) {
    message = String(error);
  }
  const advice = /start with --micro-batch (\d+)( --recompute)?/.exec(message);
  expect(advice, message).not.toBeNull();
  const advised = { microSequences: Number(advice?.[1]), recomputesLayers: advice?.[2] !== undefined };
  expect(estimatePhase(big, { memory }).memoryBytes).toBeGreaterThan(availableBytes);
  expect(() => fitMemory(big, { memory: advised, availableBytes })).not.toThrow();
});

test("N1: a host that is too small for the fastest way trains in the fastest way that fits", () => {
  const fit = (availableBytes: number): object => fitMemory(big, { memory: {}, availableBytes }).memory;
  expect(fit(bytesOf(1, false))).toEqual({ microSequences: 1, recomputesLayers: false });
  expect(fit(bytesOf(1, true))).toEqual({ microSequences: 1, recomputesLayers: true });
  expect(() => fit(bytesOf(1, true) - 1)).toThrow(/MEMORY|--role serve/);
  const roomy = { availableBytes: 64e9 };
  const fixed = fitMemory(big, { memory: { microSequences: 1 }, ...roomy });
  expect(fixed).toEqual({
    memory: { microSequences: 1, recomputesLayers: false },
    neededBytes: bytesOf(1, false),
  });
  expect(fitMemory(big, { memory: { recomputesLayers: true }, ...roomy }).memory.recomputesLayers).toBe(true);
});

test("T4: where nothing helps the refusal says how much is needed at least", () => {
  expect(() => fitMemory(phase, { memory: {}, availableBytes: 4e9 })).toThrowError(
    /would still be \d\d\.\d\d GB/,
  );
});

describe("N2 --gpu-memory-max", () => {
  const needs = { model: big.model, sequences: big.batch.sequences };
  const onGpu = (microSequences: number, recomputesLayers: boolean): number =>
    deviceTrainingBytes({ ...needs, memory: { microSequences, recomputesLayers } });
  const fit = (bytesMax: number, memory = {}): object => fitGpuMemory(big, { memory, bytesMax }).memory;

  test("the fastest way that stays below it is taken: the whole batch, micro-batches, recomputed layers", () => {
    expect(fit(onGpu(4, false))).toEqual({ microSequences: 4, recomputesLayers: false });
    expect(fit(onGpu(4, false) - 1)).toEqual({ microSequences: 2, recomputesLayers: false });
    expect(fit(onGpu(1, false))).toEqual({ microSequences: 1, recomputesLayers: false });
    // Micro-batches want a second array for the gradient's sum: here recomputing alone needs less.
    expect(onGpu(4, true)).toBeLessThan(onGpu(1, false));
    expect(fit(onGpu(4, true))).toEqual({ microSequences: 4, recomputesLayers: true });
    expect(fit(onGpu(4, false), { microSequences: 1 })).toMatchObject({ microSequences: 1 });
  });

  test("where nothing fits it says how much is needed and what to do", () => {
    expect(() => fit(Math.min(onGpu(4, true), onGpu(1, true)) - 1)).toThrow(
      /of GPU memory .* raise --gpu-memory-max, or .*--engine cpu/,
    );
    expect(() => fit(1e9)).toThrow(expect.objectContaining({ code: "MEMORY_TOO_SMALL" }) as Error);
  });

  test("an engine that can't keep it refuses it before anything starts; one that was chosen and is the CPU needs none", () => {
    const engineOf = (engine: EngineName | "auto"): NodeEngine =>
      new NodeEngine(
        { engine, threads: 1, gpuMemoryMax: 6e9 },
        { dataDir: "unused", log: silentLog, signal: new AbortController().signal },
      );
    expect(() => engineOf("cpu").take()).toThrow(/no --gpu-memory-max for cpu/);
    engineOf("auto").take();
    expect(engineOf("auto").gpuMemoryMaxOf("cpu")).toBeNull();
    expect(engineOf("auto").gpuMemoryMaxOf("webgpu")).toBe(6e9);
    expect(() => engineOf("auto").gpuMemoryMaxOf("tfjs")).toThrow(/TensorFlow/);
  });
});

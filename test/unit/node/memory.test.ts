/** T4: a phase that the host can't hold is refused before it starts, with what to lower. */
import { expect, test } from "vitest";
import { estimatePhase } from "../../../src/node/run/estimate.ts";
import { fitMemory } from "../../../src/node/run/memory.ts";
import type { Phase } from "../../../src/node/run/manifest.ts";
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

/** T4: a phase that the host can't hold is refused before it starts, with what to lower. */
import { expect, test } from "vitest";
import { estimatePhase } from "../../../src/node/estimate.ts";
import { checkMemory } from "../../../src/node/memory.ts";
import type { Phase } from "../../../src/node/manifest.ts";
import { presetOf } from "../../../src/node/presets.ts";

const [rung] = presetOf("open-500m").rungs;
const phase = { ...rung?.phase, tokensBudget: 1 } as Phase;
const batch = { ...phase.batch, sequences: 4 };

test("T4: half a billion parameters fit into 64 GB as they are", () => {
  expect(() => checkMemory(phase, { memory: {}, availableBytes: 64e9 })).not.toThrow();
});

test("T4: what does not fit is refused, and the advice that is given fits", () => {
  const availableBytes = 21e9;
  const memory = { microSequences: 4 };
  const big = { ...phase, batch };
  expect(() => checkMemory(big, { memory, availableBytes })).toThrowError(/--micro-batch \d/);
  let message = "";
  try {
    checkMemory(big, { memory, availableBytes });
  } catch (error) {
    message = String(error);
  }
  const advice = /start with --micro-batch (\d+)( --recompute)?/.exec(message);
  expect(advice, message).not.toBeNull();
  const advised = { microSequences: Number(advice?.[1]), recomputesLayers: advice?.[2] !== undefined };
  expect(estimatePhase(big, memory).memoryBytes).toBeGreaterThan(availableBytes);
  expect(() => checkMemory(big, { memory: advised, availableBytes })).not.toThrow();
});

test("T4: where nothing helps the refusal says how much is needed at least", () => {
  expect(() => checkMemory(phase, { memory: {}, availableBytes: 4e9 })).toThrowError(
    /would still be 1\d\.\d\d GB/,
  );
});

import { expect, test } from "vitest";
import { accumulateResidual, encodeDelta, openDelta } from "../../../src/codec/index.ts";
import { fromFixed } from "../../../src/core/index.ts";
import { presetOf } from "../../../src/node/presets/presets.ts";
import { assignedBatch, createEngine, initialWeights, tensorLengths } from "../../../src/trainer/index.ts";
import { mobyDickText } from "../../../scripts/testnet/text.ts";

const STEPS = 4;
const LEAST_RATIO = 200;

// Twelve rounds are weighed by `npm run bench:deltas`; the first, when what is kept clusters most, is the heaviest.
test("R2: the body of a real delta, at density 1/64 and 2 bits, is at least 200 times smaller than float32", async () => {
  const { model, optimizer, batch } = presetOf("flight").rungs[0].phase;
  const { sequences } = batch;
  const start = initialWeights(model, "1");
  const text = new TextEncoder().encode(mobyDickText());
  const engine = await createEngine({ engine: "cpu", model, optimizer, sequences, threads: 1 });
  try {
    start.forEach((value, i) => (engine.state.weights[i] = fromFixed(value)));
    await engine.load();
    for (let step = 0; step < STEPS; step++) {
      const at = { seed: "real delta", step, sequences, contextLength: model.contextLength };
      expect((await engine.step(assignedBatch(text, at), optimizer.lrMax)).applied).toBe(true);
    }
    await engine.sync();
    const residual = new Int32Array(start.length);
    expect(accumulateResidual(residual, start, engine.state.weights, 0.95)).toBe(true);
    const lengths = tensorLengths(model);
    const settings = { keepPerChunk: 64, valueBits: 2 } as const;
    const { bytes } = encodeDelta(residual, lengths, settings);
    expect(openDelta(bytes, lengths, settings).kind).toBe("accept");
    expect((4 * start.length) / bytes.length).toBeGreaterThanOrEqual(LEAST_RATIO);
  } finally {
    await engine.close();
  }
});

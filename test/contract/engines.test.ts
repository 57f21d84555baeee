/**
 * The contract, for every engine that this machine can run. Those named in STARLING_ENGINES (webgpu,tfjs) must be among
 * them: a suite that can't start fails instead of being left out. `npm run test:webgpu` names one.
 */
import { expect, test } from "vitest";
import { enginesHere } from "../support/trainer/engines-here.ts";
import { batchOf, startEngine } from "../support/trainer/models.ts";
import { contractModel, contractSequences, engineContract } from "./engine-contract.ts";

const options = { model: contractModel, sequences: contractSequences };

engineContract("cpu, two buffers", () => startEngine({ ...options, home: "copied" }));
engineContract("cpu, up to four steps in one run", () =>
  startEngine({ ...options, home: "copied", stepsAtOnce: 4 }),
);
for (const name of await enginesHere()) {
  engineContract(name, () => startEngine({ ...options, engine: name }));
}

/** Opening two engines and their first steps; SwiftShader compiles shaders for 5 to 15 s each, longer beside other work. */
const START_MS_MAX = 300_000;

test.each((await enginesHere()).filter((name) => name === "webgpu"))(
  "N2 --gpu-memory-max: in parts and with layers computed again, a step of %s is what it is at once",
  { timeout: START_MS_MAX },
  async (engine) => {
    const memory = { microSequences: 1, recomputesLayers: true };
    const [whole, parts] = [
      await startEngine({ ...options, engine }),
      await startEngine({ ...options, engine, memory }),
    ];
    for (let step = 0; step < 3; step++) {
      const tokens = batchOf(contractModel, contractSequences, step);
      const [a, b] = [await whole.step(tokens, 1e-3), await parts.step(tokens, 1e-3)];
      expect(Math.abs(a.lossNats / b.lossNats - 1)).toBeLessThan(1e-4);
      expect(Math.abs(a.gradientNorm / b.gradientNorm - 1)).toBeLessThan(1e-3);
    }
    const tokens = batchOf(contractModel, contractSequences, 7);
    expect(await parts.evaluate(tokens)).toBeCloseTo(await whole.evaluate(tokens), 4);
    await Promise.all([whole.close(), parts.close()]);
  },
);

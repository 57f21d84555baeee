/**
 * The contract, for every engine that this machine can run. Those named in STARLING_ENGINES (webgpu,tfjs) must be among
 * them: a suite that can't start fails instead of being left out. `npm run test:webgpu` names one.
 */
import { enginesHere } from "../support/trainer/engines-here.ts";
import { startEngine } from "../support/trainer/models.ts";
import { contractModel, contractSequences, engineContract } from "./engine-contract.ts";

const options = { model: contractModel, sequences: contractSequences };

engineContract("cpu, two buffers", () => startEngine({ ...options, home: "copied" }));
engineContract("cpu, up to four steps in one run", () =>
  startEngine({ ...options, home: "copied", stepsAtOnce: 4 }),
);
for (const name of await enginesHere()) {
  engineContract(name, () => startEngine({ ...options, engine: name }));
}

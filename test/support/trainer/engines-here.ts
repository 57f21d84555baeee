/** The engines to test: those that start on this machine, and those that STARLING_ENGINES (webgpu,tfjs) says must. */
import { StarlingError } from "../../../src/core/index.ts";
import { type EngineName, modelPresets, supportedEngines } from "../../../src/trainer/index.ts";
import { startEngine } from "./models.ts";

export function demandedEngines(): EngineName[] {
  return (process.env.STARLING_ENGINES ?? "").split(",").filter((name) => name !== "") as EngineName[];
}

export async function enginesHere(): Promise<EngineName[]> {
  const demanded = demandedEngines();
  const names: EngineName[] = [...demanded];
  for (const name of supportedEngines()) {
    if (!demanded.includes(name) && (await starts(name))) names.push(name);
  }
  return names;
}

async function starts(name: EngineName): Promise<boolean> {
  try {
    const engine = await startEngine({ model: modelPresets.tiny, sequences: 1, engine: name });
    await engine.close();
    return true;
  } catch (error) {
    // No such device, driver or library here; anything else is a bug.
    if (error instanceof StarlingError && error.code === "ENGINE_UNAVAILABLE") return false;
    throw error;
  }
}

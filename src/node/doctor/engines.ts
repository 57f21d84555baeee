/** Which engines start here and compute the CPU's losses, on a small model, each in a process of its own. */
import { StarlingError } from "../../core/index.ts";
import {
  type Device,
  type EngineName,
  type TrialResult,
  listDevices,
  modelPresets,
  optimizerSchema,
  pickEngine,
  provenEngines,
  supportedEngines,
} from "../../trainer/index.ts";
import { runTrial } from "../engine/choose.ts";
import { type Symptom, fault, good, poor } from "./finding.ts";

/** Guess: a few steps of a tiny model, and a GPU's shaders compiled once. */
const TRIAL_MS_MAX = 120_000;
const SEQUENCES = 4;

export async function checkEngines(threads: number, signal: AbortSignal): Promise<Symptom[]> {
  const engines = provenEngines();
  const results: TrialResult[] = [];
  for (const engine of engines) results.push(await trialOf(engine, threads, signal));
  const unproven = supportedEngines().filter((engine) => !engines.includes(engine));
  return [engineSymptom(results), gpuSymptom(results, unproven), devicesSymptom(results, unproven)];
}

function trialOf(engine: EngineName, threads: number, signal: AbortSignal): Promise<TrialResult> {
  const model = modelPresets.tiny;
  const optimizer = optimizerSchema.parse({});
  return runTrial(
    { engine, model, optimizer, sequences: SEQUENCES, threads },
    { signal, trialMsMax: TRIAL_MS_MAX },
  );
}

export function engineSymptom(results: readonly TrialResult[]): Symptom {
  const cpu = results.find(({ engine }) => engine === "cpu");
  if (cpu === undefined || "failure" in cpu)
    return fault(
      "engine",
      `the CPU engine does not start: ${cpu?.failure ?? "onnxruntime-node does not offer it"}`,
      "install the package again on a supported system (x64 or arm64; glibc 2.28 or later on Linux)",
    );
  const { engine, reason } = pickEngine(results.filter((result) => "lossesNats" in result));
  return good(
    "engine",
    `auto takes ${engine}: ${reason} (a tiny model; the run's own is tried when a node starts)`,
  );
}

export function gpuSymptom(results: readonly TrialResult[], unproven: readonly EngineName[]): Symptom {
  const gpus = results.filter(({ engine }) => engine === "webgpu");
  const working = gpus.filter((result) => "lossesNats" in result).map(({ engine }) => engine);
  if (working.length > 0) return good("gpu", `${working.join(", ")} starts`);
  const why = gpus
    .map((result) => ("failure" in result ? `${result.engine}: ${last(result.failure)}` : ""))
    .join("; ");
  const byName =
    unproven.length > 0 ? `; or try ${unproven.join(" or ")} with --engine, never run by its authors` : "";
  return poor(
    "gpu",
    why || "this install offers no GPU engine",
    `without a GPU the CPU trains; where there is one, install its Vulkan driver and look again${byName}`,
  );
}

/** What `--device` and `--devices` could name. `list`: of an engine that was never run here, so that only the host can be asked. */
export function devicesSymptom(
  results: readonly TrialResult[],
  unproven: readonly EngineName[],
  list: typeof listDevices = listDevices,
): Symptom {
  const working = results.flatMap((result) => ("lossesNats" in result ? [result.engine] : []));
  const found = [...working, ...unproven].flatMap((engine) => {
    const devices = devicesOf(engine, list);
    return devices.length === 0 ? [] : [`${engine}: ${devices.map(described).join(", ")}`];
  });
  const several = unproven.find((engine) => devicesOf(engine, list).length > 1);
  const all = several && `; all at once: --engine ${several} --devices all, never run by its authors`;
  return good("devices", `${found.join("; ") || "none"}${all ?? ""}`);
}

/** None where the host has nothing that lists them: the GPU's line says what to do. */
function devicesOf(engine: EngineName, list: typeof listDevices): readonly Device[] {
  try {
    return list(engine) ?? [];
  } catch (error) {
    if (error instanceof StarlingError && error.code === "DEVICE_INVALID") return [];
    throw error;
  }
}

function described({ index, name, memoryBytes }: Device): string {
  const memory = memoryBytes === null ? "" : ` (${(memoryBytes / 1e9).toFixed(1)} GB)`;
  return `${index === undefined ? "" : `${index} `}${name}${memory}`;
}

/** The runtime begins its messages with a place in its own sources. */
function last(failure: string): string {
  return failure.replace(/^.*(?:::| was false\.)\s*/s, "").slice(0, 200) || failure;
}

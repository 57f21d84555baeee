/**
 * What `--engine auto` means: the fastest engine that computes the CPU's losses on this machine and this model. The
 * answer is kept in the data folder, since trials take as long as a few steps and a GPU's shaders take to compile.
 */
import { fork } from "node:child_process";
import { type Logger, StarlingError, digestOf } from "../../core/index.ts";
import { readFiles, writeFiles } from "../../storage/index.ts";
import {
  type EngineChoice,
  type EngineOptions,
  type TrialResult,
  pickEngine,
  provenEngines,
} from "../../trainer/index.ts";
import { VERSION } from "../version.ts";

/** Guess: three steps of the largest model that one would train on a CPU. Who is slower is out. */
const TRIAL_MS_MAX = 300_000;

const FILE = "engine.json";

export interface ChooseDeps {
  /** The node's folder. */
  readonly dataDir: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Of one engine's trial. */
  readonly trialMsMax?: number;
}

/** The engine for these options. A trial that fails, crashes or hangs only puts its engine out. */
export async function chooseEngine(
  o: Omit<EngineOptions, "engine">,
  deps: ChooseDeps,
): Promise<EngineChoice> {
  const candidates = provenEngines();
  const key = digestOf(new TextEncoder().encode(JSON.stringify([VERSION, candidates, o])));
  const known = await readChoice(deps.dataDir, key);
  if (known !== undefined) return known;
  const results: TrialResult[] = [];
  for (const engine of candidates) {
    if (engine !== "cpu") results.push(await runTrial({ ...o, engine }, deps));
  }
  // The reference costs a few steps, so it is left out when there is nothing to compare with it.
  const othersRun = results.some((result) => "lossesNats" in result);
  const choice = othersRun
    ? pickEngine([...results, await runTrial({ ...o, engine: "cpu" }, deps)])
    : { engine: "cpu" as const, reason: ["no other starts here", ...results.map(describe)].join("; ") };
  deps.log.info("engine chosen", { ...choice });
  const stored = new TextEncoder().encode(`${JSON.stringify({ key, ...choice }, null, 2)}\n`);
  await writeFiles(deps.dataDir, new Map([[FILE, stored]]));
  return choice;
}

/** Forks, so that a driver's crash is not ours. */
export function runTrial(
  options: EngineOptions,
  { signal, trialMsMax = TRIAL_MS_MAX }: Pick<ChooseDeps, "signal" | "trialMsMax">,
): Promise<TrialResult> {
  // The published build has .js files; everything else runs the sources.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new Promise((resolve, reject) => {
    const child = fork(new URL(`./trial-process.${extension}`, import.meta.url), {
      stdio: "ignore",
      timeout: trialMsMax,
      killSignal: "SIGKILL",
    });
    const { engine } = options;
    let result: TrialResult | undefined;
    const onAbort = (): void => void child.kill("SIGKILL");
    signal.addEventListener("abort", onAbort, { once: true });
    child.once("message", (message) => (result = message as TrialResult));
    child.once("error", (error) => (result ??= { engine, failure: error.message }));
    child.once("close", (code, ended) => {
      signal.removeEventListener("abort", onAbort);
      if (signal.aborted) return reject(signal.reason as Error);
      resolve(result ?? { engine, failure: `its process ended with ${ended ?? `code ${code}`}` });
    });
    child.send(options, (error) => {
      // A process that has gone already is heard of through its end.
      if (error !== null) result ??= { engine, failure: error.message };
    });
  });
}

function describe(result: TrialResult): string {
  return "failure" in result ? `${result.engine}: ${result.failure}` : result.engine;
}

async function readChoice(dataDir: string, key: string): Promise<EngineChoice | undefined> {
  try {
    const [bytes] = [...(await readFiles(dataDir, [FILE])).values()];
    const stored = JSON.parse(new TextDecoder().decode(bytes)) as EngineChoice & { key: string };
    const { engine, reason } = stored;
    return stored.key === key && provenEngines().includes(engine)
      ? { engine, reason: String(reason) }
      : undefined;
  } catch (error) {
    // Not there yet, or not ours any more: then it is made anew.
    if (error instanceof SyntaxError || (error instanceof StarlingError && error.code === "FILE_NOT_FOUND"))
      return undefined;
    throw error;
  }
}

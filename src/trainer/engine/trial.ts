/**
 * Which engine is the fastest here? Each is tried on three steps of the run's own model; one whose losses are not those
 * of the CPU engine, the reference, is out, however fast.
 */
import { type Clock, SeededRandom, assert, toFloats } from "../../core/index.ts";
import { initialWeights } from "../model/init.ts";
import { runOn } from "./backends.ts";
import { type EngineOptions, createEngine, supportedEngines } from "./create.ts";
import type { EngineName } from "./engine.ts";

/** Of losses. From: the contract that engines are tested against (test/contract). */
const RELATIVE_ERROR_MAX = 1e-4;
const STEPS = 3;
const SEED = "trial";

export interface Trial {
  readonly engine: EngineName;
  readonly lossesNats: readonly number[];
  /** Of the fastest step: the first one compiles, and others of the machine may get in the way of any. */
  readonly tokensPerSecond: number;
}

/** How a trial ended: with losses, or with the reason why there are none. */
export type TrialResult = Trial | { readonly engine: EngineName; readonly failure: string };

export interface EngineChoice {
  readonly engine: EngineName;
  /** For people. */
  readonly reason: string;
}

/** The engines that may be chosen unasked: those that this install supports and that this project has run. */
export function provenEngines(): EngineName[] {
  return supportedEngines().filter((engine) => runOn(engine) !== null);
}

/** Three steps from the same weights on the same random tokens; throws what the engine throws. */
export async function tryEngine(o: EngineOptions, clock: Clock): Promise<Trial> {
  const { model, sequences, optimizer } = o;
  const engine = await createEngine(o);
  toFloats(initialWeights(model, SEED), engine.state.weights);
  await engine.load();
  const random = new SeededRandom(SEED);
  const length = sequences * (model.contextLength + 1);
  const lossesNats: number[] = [];
  let fastestMs = Infinity;
  for (let step = 0; step < STEPS; step++) {
    const tokens = Int32Array.from({ length }, () => random.below(model.vocabSize));
    const startedMs = clock.nowMs();
    lossesNats.push((await engine.step(tokens, optimizer.lrMax)).lossNats);
    fastestMs = Math.min(fastestMs, clock.nowMs() - startedMs);
  }
  await engine.close();
  const tokensPerSecond = (1000 * sequences * model.contextLength) / fastestMs;
  return { engine: o.engine, lossesNats, tokensPerSecond };
}

/** The fastest of those whose losses are the reference's; among `results` is that of the CPU. */
export function pickEngine(results: readonly TrialResult[]): EngineChoice {
  const reference = results.find(({ engine }) => engine === "cpu");
  assert(reference !== undefined, "the CPU engine was tried");
  if ("failure" in reference) return { engine: "cpu", reason: `no reference losses: ${reference.failure}` };
  const rated = results.map((result) => ({ result, fault: faultOf(result, reference) }));
  const passed = rated.flatMap(({ result, fault }) =>
    fault === null && "tokensPerSecond" in result ? [result] : [],
  );
  const { engine } = passed.reduce((best, one) => (one.tokensPerSecond > best.tokensPerSecond ? one : best));
  const words = rated.map(({ result, fault }) =>
    fault === null && "tokensPerSecond" in result
      ? `${result.engine} ${Math.round(result.tokensPerSecond)} tokens/s`
      : `${result.engine} out: ${fault}`,
  );
  return { engine, reason: words.join("; ") };
}

function faultOf(result: TrialResult, reference: Trial): string | null {
  if ("failure" in result) return result.failure;
  const wrong = result.lossesNats.findIndex((loss, i) => {
    const expected = reference.lossesNats[i] as number;
    return !(Math.abs(loss - expected) <= RELATIVE_ERROR_MAX * Math.abs(expected));
  });
  if (wrong === -1) return null;
  return `loss ${result.lossesNats[wrong]} at step ${wrong + 1}, expected ${reference.lossesNats[wrong]}`;
}

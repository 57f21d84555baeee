/**
 * Several steps in one run of one program (ONNX's Loop), for engines whose outputs cannot stay on the device: the whole
 * state then crosses the bus once in so many steps.
 */
import { assert } from "../../core/index.ts";
import { stepScalars } from "../graph/adamw.ts";
import { loopProgram } from "../model/programs.ts";
import type { StepResult } from "./engine.ts";
import { countValue, floatsOf, floatValue, intValue, openSession } from "./session.ts";
import type { StateValues } from "./state-values.ts";
import type { Training, TrainingOptions } from "./training.ts";

/** A training of up to `stepsMax` steps in one run. */
export async function openLoopTraining(
  o: TrainingOptions,
  values: StateValues,
  stepsMax: number,
): Promise<Training> {
  const { model, optimizer, sequences } = o;
  const session = await openSession(loopProgram(model, optimizer, { ...o, stepsMax }), o);
  const batchShape = [sequences, model.contextLength + 1] as const;
  const K = stepsMax;

  async function steps(
    tokens: Int32Array,
    { lrs, step }: { lrs: readonly number[]; step: number },
  ): Promise<StepResult[]> {
    const count = lrs.length;
    assert(count >= 1 && count <= K, `expected 1 to ${K} steps in one run, got ${count}`);
    // The program's inputs always have room for K; what is beyond `count` is never looked at.
    const batches = new Int32Array(K * batchShape[0] * batchShape[1]);
    batches.set(tokens);
    const stepSizes = new Float32Array(K * K);
    const epsilons = new Float32Array(K);
    const shrinks = new Float32Array(K);
    for (let i = 0; i < count; i++) {
      for (let applied = 0; applied <= i; applied++) {
        const scalars = stepScalars(optimizer, lrs[i] as number, step + applied);
        stepSizes[i * K + applied] = scalars.stepSize;
        epsilons[applied] = scalars.epsilon;
        shrinks[i] = scalars.shrink;
      }
    }
    const outputs = await values.step(session, {
      count: countValue(count),
      batches: intValue(batches, [K, ...batchShape]),
      stepSizes: floatValue(stepSizes, [K, K]),
      epsilons: floatValue(epsilons, [K]),
      shrinks: floatValue(shrinks, [K]),
    });
    const [losses, norms, applied] = ["loss", "gradientNorm", "applied"].map((name) =>
      floatsOf(outputs, name),
    );
    return lrs.map((_, i) => ({
      lossNats: losses?.[i] as number,
      gradientNorm: norms?.[i] as number,
      applied: applied?.[i] === 1,
    }));
  }

  return {
    steps,
    step: async (tokens, { lr, step }) => (await steps(tokens, { lrs: [lr], step }))[0] as StepResult,
    close: () => session.release(),
  };
}

/**
 * A step on the host's own arrays, in two programs. The first writes the gradient of one micro-batch after another
 * into one flat array; the second updates weights and moments where they are, a stretch at a time that fits the cache.
 * Between the two the host judges the gradient, so one that is not finite touches nothing, and no weight changes before
 * the last read of it.
 */
import { blendScalars, stepScalars } from "../graph/adamw.ts";
import {
  type GradientMemory,
  GRADIENT,
  gradientProgram,
  SUM,
  UPDATED,
  updateProgram,
} from "../model/programs.ts";
import { modelTensors, tensorLength } from "../model/tensors.ts";
import type { StepResult, TrainingState } from "./engine.ts";
import {
  floatValue,
  intValue,
  numberOf,
  openSession,
  parameterValues,
  scalarValue,
  type Values,
} from "./session.ts";
import type { Training, TrainingOptions } from "./training.ts";

/** Parameters updated at a time. Measured: docs/log.md, 2026-11-22, "What a training step waits for". */
const STRETCH_LENGTH = 2 ** 17;

/** What the moments' own formulas can't have made: larger sums of squares are infinite in float32. */
const NORM_MAX = 3.4e38;

export async function openHostTraining(
  o: TrainingOptions & Required<GradientMemory>,
  state: TrainingState,
): Promise<Training> {
  const { model, optimizer, sequences, microSequences } = o;
  const count = sequences / microSequences;
  const program = gradientProgram(model, { ...o, sequences: microSequences, accumulates: count > 1 });
  const gradients = await openSession(program, o);
  const update = await openSession(updateProgram(optimizer), o);
  const gradient = new Float32Array(state.weights.length); // (P,)
  const feeds = {
    ...parameterValues(model, state.weights),
    ...(count > 1 && parameterValues(model, gradient, SUM)),
  };
  const fetches = { loss: null, gradientNorm: null, ...parameterValues(model, gradient, GRADIENT) };
  const stretches = stretchesOf(o, state, gradient);
  const shape = [microSequences, model.contextLength + 1] as const;

  async function gradientOf(tokens: Int32Array): Promise<{ lossNats: number; gradientNorm: number }> {
    if (count > 1) gradient.fill(0);
    let lossSum = 0;
    let sumNorm = 0;
    for (let i = 0; i < count; i++) {
      const length = shape[0] * shape[1];
      const batch = intValue(tokens.subarray(i * length, (i + 1) * length), shape);
      const outputs = (await gradients.run({ ...feeds, batch }, fetches)) as Values;
      lossSum += numberOf(outputs, "loss");
      sumNorm = numberOf(outputs, "gradientNorm");
    }
    return { lossNats: lossSum / count, gradientNorm: sumNorm / count };
  }

  return {
    async step(tokens, { lr, step }): Promise<StepResult> {
      const { lossNats, gradientNorm } = await gradientOf(tokens);
      // A comparison with NaN is false.
      const applied = Math.abs(lossNats) < Infinity && gradientNorm < NORM_MAX;
      if (applied) {
        const { stepSize, epsilon, shrink } = stepScalars(optimizer, lr, step);
        const { blend1, blend2 } = blendScalars(optimizer, gradientNorm, count);
        const scalars = valuesOf({ stepSize, epsilon, blend1, blend2 });
        const shrinks = { decayed: scalarValue(shrink), kept: scalarValue(1) };
        for (const { inputs, outputs, decay } of stretches) {
          await update.run(
            { ...inputs, ...scalars, shrink: decay ? shrinks.decayed : shrinks.kept },
            outputs,
          );
        }
      }
      return { lossNats, gradientNorm, applied };
    },
    async close() {
      await gradients.release();
      await update.release();
    },
  };
}

interface Stretch {
  readonly inputs: Values;
  readonly outputs: Values;
  readonly decay: boolean;
}

/** Every tensor in pieces of at most `STRETCH_LENGTH`. */
function stretchesOf(o: TrainingOptions, state: TrainingState, gradient: Float32Array): Stretch[] {
  const stretches: Stretch[] = [];
  let at = 0;
  for (const spec of modelTensors(o.model)) {
    const end = at + tensorLength(spec);
    for (; at < end; at = Math.min(end, at + STRETCH_LENGTH)) {
      const from = at;
      const to = Math.min(end, at + STRETCH_LENGTH);
      const value = (flat: Float32Array): Values[string] => floatValue(flat.subarray(from, to), [to - from]);
      const weight = value(state.weights);
      const moment1 = value(state.moment1);
      const moment2 = value(state.moment2);
      const outputs = {
        [`${UPDATED}weight`]: weight,
        [`${UPDATED}moment1`]: moment1,
        [`${UPDATED}moment2`]: moment2,
      };
      stretches.push({
        inputs: { weight, moment1, moment2, gradient: value(gradient) },
        outputs,
        decay: spec.decay,
      });
    }
  }
  return stretches;
}

function valuesOf(numbers: Readonly<Record<string, number>>): Values {
  return Object.fromEntries(Object.entries(numbers).map(([name, x]) => [name, scalarValue(x)]));
}

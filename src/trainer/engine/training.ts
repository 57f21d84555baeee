/** How a step is run, apart from what it computes: in one program, or in two where the state lives on the host. */
import { stepScalars } from "../graph/adamw.ts";
import type { ModelConfig } from "../model/config.ts";
import { type GradientMemory, trainingProgram } from "../model/programs.ts";
import type { Optimizer } from "../optimizer.ts";
import type { StepResult } from "./engine.ts";
import { LossScale } from "./loss-scale.ts";
import {
  intValue,
  numberOf,
  openSession,
  scalarValue,
  type Session,
  type SessionOptions,
  type Values,
} from "./session.ts";
import { type StateHome, type StateValues, updatedNames } from "./state-values.ts";

export interface Training {
  /** Where several steps in one run cost less than one by one: one for each learning rate, on as many batches in a row. */
  steps?(tokens: Int32Array, o: { lrs: readonly number[]; step: number }): Promise<StepResult[]>;
  /** Step number `step` = 1, 2, ... on tokens (B * (T + 1),); when not applied, the state is what it was. */
  step(tokens: Int32Array, o: { lr: number; step: number }): Promise<StepResult>;
  close(): Promise<void>;
}

export interface TrainingOptions extends SessionOptions {
  readonly model: ModelConfig;
  readonly optimizer: Optimizer;
  /** B: sequences per step. */
  readonly sequences: number;
  /** How a step saves memory; absent: all of a batch at once, and nothing computed twice. */
  readonly memory?: GradientMemory;
  /** Matrix products in float16; weights, moments and all else in float32. */
  readonly mixedPrecision?: boolean;
  /** Only tests start from another scale. */
  readonly lossScale?: LossScale;
}

/** Loss, gradient and update in one run of one program, on values wherever they live. */
export async function openWholeTraining(
  o: TrainingOptions,
  values: StateValues,
  home: StateHome,
): Promise<Training> {
  const keptOnDevice = home === "on-device" ? updatedNames(o.model) : [];
  const program = trainingProgram(o.model, o.optimizer, o);
  const session: Session = await openSession(program, { ...o, keptOnDevice });
  const runStep = async (inputs: Values): Promise<StepResult> => {
    const outputs = await values.step(session, inputs);
    return {
      lossNats: numberOf(outputs, "loss"),
      gradientNorm: numberOf(outputs, "gradientNorm"),
      applied: numberOf(outputs, "applied") === 1,
    };
  };
  const { mixedPrecision = false, lossScale = new LossScale() } = o;
  return {
    step(tokens, { lr, step }) {
      const scalars = stepScalars(o.optimizer, lr, step);
      const inputs = {
        batch: intValue(tokens, [o.sequences, o.model.contextLength + 1]),
        stepSize: scalarValue(scalars.stepSize),
        epsilon: scalarValue(scalars.epsilon),
        shrink: scalarValue(scalars.shrink),
      };
      if (!mixedPrecision) return runStep(inputs);
      return lossScale.run((scale) => runStep({ ...inputs, lossScale: scalarValue(scale) }));
    },
    close: () => session.release(),
  };
}

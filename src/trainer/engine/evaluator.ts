/** The loss of fixed weights on one window after another; an `Engine` holds moments too, and compiles a training step. */
import type { ModelConfig } from "../model/config.ts";
import { evaluationProgram } from "../model/programs.ts";
import { intValue, numberOf, openSession, parameterValues, type Values } from "./session.ts";

export interface Evaluator {
  /** Mean nats per token of a window of T + 1 tokens. */
  loss(window: Int32Array): Promise<number>;
  close(): Promise<void>;
}

/** `weights` (P,) must not change while it is open. @throws StarlingError `ENGINE_UNAVAILABLE` */
export async function openEvaluator(o: {
  model: ModelConfig;
  weights: Float32Array;
  threads: number;
}): Promise<Evaluator> {
  const session = await openSession(evaluationProgram(o.model, 1), { engine: "cpu", threads: o.threads });
  const parameters = parameterValues(o.model, o.weights);
  return {
    async loss(window) {
      const batch = intValue(window, [1, o.model.contextLength + 1]);
      return numberOf((await session.run({ ...parameters, batch })) as Values, "loss");
    },
    close: () => session.release(),
  };
}

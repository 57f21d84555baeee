/** The gradients themselves, which an engine never shows: for tests and for looking into a run. */
import { parametersCount, type ModelConfig } from "../model/config.ts";
import { GRADIENT, gradientProgram } from "../model/programs.ts";
import { modelTensors, tensorViews } from "../model/tensors.ts";
import { floatsOf, intValue, numberOf, openSession, parameterValues, type Values } from "./session.ts";

export interface Gradients {
  /** Loss of weights (P,) on tokens (B * (T + 1),), and its gradient (P,). */
  run(weights: Float32Array, tokens: Int32Array): Promise<{ lossNats: number; gradient: Float32Array }>;
  close(): Promise<void>;
}

export async function compileGradients(o: {
  model: ModelConfig;
  sequences: number;
  threads: number;
}): Promise<Gradients> {
  const { model, sequences } = o;
  const session = await openSession(gradientProgram(model, { sequences }), {
    engine: "cpu",
    threads: o.threads,
  });
  return {
    async run(weights, tokens) {
      const batch = intValue(tokens, [sequences, model.contextLength + 1]);
      const outputs = (await session.run({ ...parameterValues(model, weights), batch })) as Values;
      const gradient = new Float32Array(parametersCount(model));
      const views = tensorViews(model, gradient);
      for (const { name } of modelTensors(model)) {
        views.get(name)?.set(floatsOf(outputs, GRADIENT + name));
      }
      return { lossNats: numberOf(outputs, "loss"), gradient };
    },
    close: () => session.release(),
  };
}

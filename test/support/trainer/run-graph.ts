/** Runs a small staged graph on the real runtime: float inputs in, outputs back. */
import { writeOnnx } from "../../../src/trainer/graph/onnx-writer.ts";
import type { Tensor } from "../../../src/trainer/graph/tensor.ts";
import { floatsOf, floatValue, openSession, type Values } from "../../../src/trainer/engine/session.ts";

export type Runner = (values: readonly Float32Array[]) => Promise<Float32Array[]>;

/** Compiles `outputs` as functions of `inputs` (all float32); `close` when done. */
export async function compile(
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
): Promise<{ run: Runner; close: () => Promise<void> }> {
  const named = Object.fromEntries(outputs.map((tensor, i) => [`out${i}`, tensor]));
  const session = await openSession(writeOnnx(inputs, named), { engine: "cpu", threads: 1 });
  const nameOf = ({ source }: Tensor): string => (source.kind === "input" ? source.name : "");
  return {
    async run(values) {
      const feeds = inputs.map((tensor, i) => [
        nameOf(tensor),
        floatValue(values[i] as Float32Array, tensor.shape),
      ]);
      const results = (await session.run(Object.fromEntries(feeds) as Values)) as Values;
      return outputs.map((_, i) => floatsOf(results, `out${i}`));
    },
    close: () => session.release(),
  };
}

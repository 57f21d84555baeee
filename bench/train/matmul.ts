/** The runtime's own matmul speed, the ceiling of any training step on it: the products of one model, and nothing else. */
import { gemm } from "../../src/trainer/graph/products.ts";
import { input, type Shape } from "../../src/trainer/graph/tensor.ts";
import { writeOnnx } from "../../src/trainer/graph/onnx-writer.ts";
import { floatValue, openSession } from "../../src/trainer/engine/session.ts";

const RUNS = 7;

/** GFLOP/s of a square product, side n, best of a few: what the runtime can do. */
export async function matmulGflops(n: number, threads: number): Promise<number> {
  const shape: Shape = [n, n];
  const [a, b] = [input("a", "float32", shape), input("b", "float32", shape)];
  const session = await openSession(writeOnnx([a, b], { c: gemm(a, b) }), { engine: "cpu", threads });
  const ones = (): Float32Array => new Float32Array(n * n).fill(1);
  const feeds = { a: floatValue(ones(), shape), b: floatValue(ones(), shape) };
  const fetches = { c: floatValue(new Float32Array(n * n), shape) };
  const ms: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const startedMs = performance.now();
    await session.run(feeds, fetches);
    ms.push(performance.now() - startedMs);
  }
  await session.release();
  return (2 * n ** 3) / 1e6 / Math.min(...ms);
}

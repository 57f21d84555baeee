/** Matrix products. Transposition is a flag of the product, so that it costs nothing. */
import { assert } from "../../core/index.ts";
import { transpose } from "./layout.ts";
import { stage, type Tensor } from "./tensor.ts";

export interface Transposed {
  readonly a?: boolean;
  readonly b?: boolean;
}

/** op(a) (m, k) times op(b) (k, n), where op transposes what is flagged -> (m, n). */
export function gemm(a: Tensor, b: Tensor, transposed: Transposed = {}): Tensor {
  const [m, k] = transposed.a ? [a.shape[1], a.shape[0]] : [a.shape[0], a.shape[1]];
  const [k2, n] = transposed.b ? [b.shape[1], b.shape[0]] : [b.shape[0], b.shape[1]];
  assert(
    k === k2,
    `gemm of [${a.shape.join()}] and [${b.shape.join()}] with flags ${JSON.stringify(transposed)}`,
  );
  // C = A B:  dA = dC B', dB = A' dC; and the transposes of these where a factor came transposed.
  const gradient = (g: Tensor): Tensor[] => [
    transposed.a ? gemm(b, g, { a: !!transposed.b, b: true }) : gemm(g, b, { b: !transposed.b }),
    transposed.b ? gemm(g, a, { a: true, b: !!transposed.a }) : gemm(a, g, { a: !transposed.a }),
  ];
  return stage("Gemm", [a, b], {
    shape: [m as number, n as number],
    attributes: {
      transA: { kind: "int", value: transposed.a ? 1 : 0 },
      transB: { kind: "int", value: transposed.b ? 1 : 0 },
    },
    gradient,
  });
}

/** (..., m, k) times (..., k, n) -> (..., m, n); the leading axes of both are the same. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const rank = a.shape.length;
  const [k, n] = b.shape.slice(-2);
  assert(a.shape[rank - 1] === k, `matmul of [${a.shape.join()}] and [${b.shape.join()}]`);
  const gradient = (g: Tensor): Tensor[] => [matmul(g, flip(b)), matmul(flip(a), g)];
  return stage("MatMul", [a, b], { shape: [...a.shape.slice(0, -1), n as number], gradient });
}

/** The last two axes exchanged; the runtime fuses it into the product that uses it. */
export function flip(x: Tensor): Tensor {
  const rank = x.shape.length;
  return transpose(
    x,
    x.shape.map((_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis)),
  );
}

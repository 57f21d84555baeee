/**
 * The layers of a Llama, each with a derivative of its own where that is shorter than the chain rule through its
 * parts. N = rows (batch times positions), D = features, V = vocabulary.
 */
import { add, div, mul, reduceSum, sigmoid, sqrt, sub, sumOfSquaresOver } from "./arithmetic.ts";
import { reshape } from "./layout.ts";
import { flip, gemm, matmul } from "./products.ts";
import { constant, scalar, sizeOf, stage, withDerivative, type Tensor } from "./tensor.ts";

/**
 * Above this many rows an embedding's gradient is scattered instead of multiplied out.
 * Measured: one-hot 8.5 ms against 13.8 ms at V 256, 1.5 s against 109 ms at V 32k (2 threads).
 */
const ONE_HOT_ROWS_MAX = 1024;

/**
 * softmax(q k' + mask) v, q (B, K, R, size), k and v (B, K, T, size), mask broadcast to (B, K, R, T) -> (B, K, R, size).
 * The softmax's gradient needs the mean of dP under P, which is the mean of dO along O: size products a row, not T
 * (Dao et al. 2022, "FlashAttention", appendix B.2).
 */
export function attend(q: Tensor, k: Tensor, v: Tensor, addMask: (scores: Tensor) => Tensor): Tensor {
  const scores = addMask(matmul(q, flip(k)));
  const axis = { kind: "int", value: scores.shape.length - 1 } as const;
  const p = stage("Softmax", [scores], { shape: scores.shape, attributes: { axis } });
  const mixed = matmul(p, v);
  // dP = dO v';  dS = P (dP - dO . O);  dq = dS k;  dk = dS' q;  dv = P' dO
  const rule = (g: Tensor): Tensor[] => {
    const along = reduceSum(mul(g, mixed), [g.shape.length - 1]);
    const toScores = mul(p, sub(matmul(g, flip(v)), along));
    return [matmul(toScores, k), matmul(flip(toScores), q), matmul(flip(p), g)];
  };
  return withDerivative(mixed, { inputs: [q, k, v], rule });
}

/**
 * x / sqrt(mean(x^2) + epsilon) * weight over the last axis (Zhang and Sennrich 2019); x (N, D), weight (D,). Only x
 * outlives the forward pass; the two sums of the backward pass are products with a vector, one read of e each.
 */
export function rmsNorm(x: Tensor, weight: Tensor, epsilon: number): Tensor {
  const [, width] = x.shape as [number, number];
  const y = stage("SimplifiedLayerNormalization", [x, weight], {
    shape: x.shape,
    attributes: { axis: { kind: "int", value: 1 }, epsilon: { kind: "float", value: epsilon } },
  });
  // r = 1 / sqrt(mean(x^2) + epsilon);  e = g x;  dx = r g w - x r^3 (e w) / D;  dw = r' e
  const rule = (g: Tensor): Tensor[] => {
    const meanSquare = mul(sumOfSquaresOver(x, [1]), scalar(1 / width));
    const r = div(scalar(1), sqrt(add(meanSquare, scalar(epsilon)))); // (N, 1)
    const e = mul(g, x); // (N, D)
    const along = mul(gemm(e, reshape(weight, [width, 1])), scalar(1 / width)); // (N, 1)
    const straight = mul(mul(g, weight), r);
    const toX = sub(straight, mul(x, mul(along, mul(r, mul(r, r)))));
    return [toX, reshape(gemm(r, e, { a: true }), weight.shape)];
  };
  return withDerivative(y, { inputs: [x, weight], rule });
}

/** silu(gate) * up, with silu(x) = x sigmoid(x) (Shazeer 2020, "GLU variants improve transformer"). */
export function swiGlu(gate: Tensor, up: Tensor): Tensor {
  // QuickGelu is x sigmoid(alpha x), in one pass.
  const alpha = { kind: "float", value: 1 } as const;
  const silu = stage("QuickGelu", [gate], {
    shape: gate.shape,
    domain: "com.microsoft",
    attributes: { alpha },
  });
  // silu' = sigmoid (1 + x - silu);  with t = g sigmoid:  dup = t x,  dgate = t up (1 + x - silu)
  const rule = (g: Tensor): Tensor[] => {
    const t = mul(g, sigmoid(gate));
    const bend = add(sub(gate, silu), scalar(1));
    return [mul(mul(t, up), bend), mul(t, gate)];
  };
  return withDerivative(mul(silu, up), { inputs: [gate, up], rule });
}

export interface RopeTables {
  readonly cos: Tensor; // (T, headSize / 2)
  readonly sin: Tensor; // (T, headSize / 2)
  readonly sinNegated: Tensor;
}

/**
 * cos and sin of position * theta^(-2i / headSize) (Su et al. 2021), times `scale`: attention's 1 / sqrt(headSize)
 * rides on the queries' tables for free.
 */
export function ropeTables(o: {
  contextLength: number;
  headSize: number;
  theta: number;
  scale: number;
}): RopeTables {
  const half = o.headSize / 2;
  const table = (f: (angle: number) => number): Tensor => {
    const data = Float32Array.from(
      { length: o.contextLength * half },
      (_, at) => o.scale * f(Math.floor(at / half) * o.theta ** (-(at % half) / half)),
    );
    return constant(data, [o.contextLength, half]);
  };
  return { cos: table(Math.cos), sin: table(Math.sin), sinNegated: table((angle) => -Math.sin(angle)) };
}

/**
 * Rotary positions, x (B, heads, T, headSize): feature i turns with feature i + headSize / 2, as in Hugging Face's
 * Llama. A rotation's derivative is the rotation back.
 */
export function rope(x: Tensor, tables: RopeTables): Tensor {
  const first = constant(BigInt64Array.of(0n), [1]);
  return stage("RotaryEmbedding", [x, first, tables.cos, tables.sin], {
    shape: x.shape,
    domain: "com.microsoft",
    gradient: (g) => [rope(g, { ...tables, sin: tables.sinNegated, sinNegated: tables.sin })],
  });
}

/** Rows of `table` (V, D) at `indices` (N,) int32 -> (N, D). */
export function gatherRows(table: Tensor, indices: Tensor): Tensor {
  const [rows, width] = table.shape as [number, number];
  const count = sizeOf(indices.shape);
  const gradient = (g: Tensor): (Tensor | undefined)[] => [
    rows <= ONE_HOT_ROWS_MAX
      ? gemm(oneHot(indices, rows), g, { a: true })
      : scatterRows(g, indices, [rows, width]),
    undefined,
  ];
  return stage("Gather", [table, indices], { shape: [count, width], gradient });
}

/** (N,) int32 -> (N, depth) float32, by comparison, which every runtime has. */
function oneHot(indices: Tensor, depth: number): Tensor {
  const rows = sizeOf(indices.shape);
  const classes = constant(
    Int32Array.from({ length: depth }, (_, i) => i),
    [1, depth],
  );
  const equal = stage("Equal", [reshape(indices, [rows, 1]), classes], {
    shape: [rows, depth],
    type: "bool",
  });
  return stage("Cast", [equal], { shape: [rows, depth], attributes: { to: { kind: "int", value: 1 } } });
}

/** Zeros of `shape` (V, D) with each row of g (N, D) added at its index; never ScatterND, which loses updates. */
function scatterRows(g: Tensor, indices: Tensor, shape: readonly [number, number]): Tensor {
  const [rows, width] = g.shape as [number, number];
  const target = constant(BigInt64Array.of(BigInt(rows), BigInt(width)), [2]);
  const spread = stage("Expand", [reshape(indices, [rows, 1]), target], {
    shape: [rows, width],
    type: "int32",
  });
  const zeros = stage("ConstantOfShape", [constant(BigInt64Array.from(shape, BigInt), [2])], { shape });
  return stage("ScatterElements", [zeros, spread, g], {
    shape,
    attributes: { axis: { kind: "int", value: 0 }, reduction: { kind: "text", value: "add" } },
  });
}

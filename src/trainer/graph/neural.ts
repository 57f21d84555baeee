/**
 * The layers of a Llama, each with a derivative of its own where that is shorter than the chain rule through its
 * parts. N = rows (batch times positions), D = features, V = vocabulary.
 */
import { add, exp, mul, reduceMean, reduceSum, sigmoid, div, sqrt, sub, meanOfAll } from "./arithmetic.ts";
import { reshape } from "./layout.ts";
import { gemm } from "./products.ts";
import { constant, scalar, sizeOf, stage, withDerivative, type Tensor } from "./tensor.ts";

/**
 * Above this many rows an embedding's gradient is scattered instead of multiplied out.
 * Measured: one-hot 8.5 ms against 13.8 ms at V 256, 1.5 s against 109 ms at V 32k (2 threads).
 */
const ONE_HOT_ROWS_MAX = 1024;

/** Softmax over the last axis. */
export function softmax(x: Tensor): Tensor {
  const last = x.shape.length - 1;
  const y = stage("Softmax", [x], { shape: x.shape, attributes: { axis: { kind: "int", value: last } } });
  // dx = y (g - sum(g y))
  const rule = (g: Tensor): Tensor[] => [mul(y, sub(g, reduceSum(mul(g, y), [last])))];
  return withDerivative(y, { inputs: [x], rule });
}

/** x / sqrt(mean(x^2) + epsilon) * weight over the last axis (Zhang and Sennrich 2019); x (N, D), weight (D,). */
export function rmsNorm(x: Tensor, weight: Tensor, epsilon: number): Tensor {
  const meanSquare = reduceMean(mul(x, x), [1]);
  const scale = div(scalar(1), sqrt(add(meanSquare, scalar(epsilon)))); // (N, 1)
  const unit = mul(x, scale); // (N, D)
  // dunit = g w;  dx = scale (dunit - unit mean(dunit unit));  dw = sum over rows of g unit
  const rule = (g: Tensor): Tensor[] => {
    const toUnit = mul(g, weight);
    const along = mul(unit, reduceMean(mul(toUnit, unit), [1]));
    const toWeight = reshape(reduceSum(mul(g, unit), [0]), weight.shape);
    return [mul(scale, sub(toUnit, along)), toWeight];
  };
  return withDerivative(mul(unit, weight), { inputs: [x, weight], rule });
}

/** silu(gate) * up, with silu(x) = x sigmoid(x) (Shazeer 2020, "GLU variants improve transformer"). */
export function swiGlu(gate: Tensor, up: Tensor): Tensor {
  const gated = sigmoid(gate);
  const silu = mul(gate, gated);
  // silu' = sigmoid + silu (1 - sigmoid) = silu + sigmoid (1 - silu)
  const rule = (g: Tensor): Tensor[] => {
    const slope = add(silu, mul(gated, sub(scalar(1), silu)));
    return [mul(mul(g, up), slope), mul(g, silu)];
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

/** The mean over rows of -log softmax(logits)[target], in nats; logits (N, V), targets (N,) int32 -> scalar. */
export function crossEntropy(logits: Tensor, targets: Tensor): Tensor {
  const [rows] = logits.shape as [number];
  const axis = { kind: "int", value: 1 } as const;
  const column = reshape(targets, [rows, 1]);
  const logProbabilities = stage("LogSoftmax", [logits], { shape: logits.shape, attributes: { axis } });
  const picked = stage("GatherElements", [logProbabilities, column], {
    shape: [rows, 1],
    attributes: { axis },
  });
  // dlogits = (softmax - onehot(target)) g / N
  const rule = (g: Tensor): Tensor[] => {
    const minusOnes = constant(new Float32Array(rows).fill(-1), [rows, 1]);
    const difference = stage("ScatterElements", [exp(logProbabilities), column, minusOnes], {
      shape: logits.shape,
      attributes: { axis, reduction: { kind: "text", value: "add" } },
    });
    return [mul(difference, mul(g, scalar(1 / rows)))];
  };
  return withDerivative(mul(meanOfAll(picked), scalar(-1)), { inputs: [logits], rule });
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

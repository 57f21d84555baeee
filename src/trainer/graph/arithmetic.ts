/** Elementwise operations with numpy's broadcasting, and reductions; g is always the gradient of the output. */
import { assert } from "../../core/index.ts";
import { reshape } from "./layout.ts";
import { constant, sameShape, scalar, sizeOf, stage, type Shape, type Tensor } from "./tensor.ts";

export function add(a: Tensor, b: Tensor): Tensor {
  const gradient = (g: Tensor): Tensor[] => [sumTo(g, a.shape), sumTo(g, b.shape)];
  return stage("Add", [a, b], { shape: broadcast(a, b), type: a.type, gradient });
}

export function sub(a: Tensor, b: Tensor): Tensor {
  const gradient = (g: Tensor): Tensor[] => [sumTo(g, a.shape), sumTo(mul(g, scalar(-1)), b.shape)];
  return stage("Sub", [a, b], { shape: broadcast(a, b), gradient });
}

export function mul(a: Tensor, b: Tensor): Tensor {
  if (isOne(b)) return a;
  const gradient = (g: Tensor): Tensor[] => [sumTo(mul(g, b), a.shape), sumTo(mul(g, a), b.shape)];
  return stage("Mul", [a, b], { shape: broadcast(a, b), gradient });
}

export function div(a: Tensor, b: Tensor): Tensor {
  const quotient = stage("Div", [a, b], { shape: broadcast(a, b) });
  // d(a/b)/db = -(a/b)/b
  const rule = (g: Tensor): Tensor[] => {
    const toA = div(g, b);
    return [sumTo(toA, a.shape), sumTo(mul(mul(toA, quotient), scalar(-1)), b.shape)];
  };
  return { ...quotient, derivative: { inputs: [a, b], rule } };
}

export function sqrt(x: Tensor): Tensor {
  const y = stage("Sqrt", [x], { shape: x.shape });
  // d sqrt(x)/dx = 1 / (2 sqrt(x))
  return { ...y, derivative: { inputs: [x], rule: (g) => [mul(div(g, y), scalar(0.5))] } };
}

export function exp(x: Tensor): Tensor {
  const y = stage("Exp", [x], { shape: x.shape });
  return { ...y, derivative: { inputs: [x], rule: (g) => [mul(g, y)] } };
}

export function sigmoid(x: Tensor): Tensor {
  const y = stage("Sigmoid", [x], { shape: x.shape });
  return { ...y, derivative: { inputs: [x], rule: (g) => [mul(mul(g, y), sub(scalar(1), y))] } };
}

/** Sum over `axes`, which stay as axes of length 1. */
export function reduceSum(x: Tensor, axes: readonly number[]): Tensor {
  // The gradient is g at every element that was summed: adding zeros of x's shape spreads it.
  const gradient = (g: Tensor): Tensor[] => [spread(g, x.shape)];
  return reduce("ReduceSum", x, { axes, gradient });
}

/** Mean over `axes`, which stay as axes of length 1. */
export function reduceMean(x: Tensor, axes: readonly number[]): Tensor {
  const count = sizeOf(axes.map((axis) => x.shape[axis] as number));
  const gradient = (g: Tensor): Tensor[] => [spread(mul(g, scalar(1 / count)), x.shape)];
  return reduce("ReduceMean", x, { axes, gradient });
}

/** The mean of all elements, as a scalar. */
export function meanOfAll(x: Tensor): Tensor {
  const axes = x.shape.map((_, axis) => axis);
  return reshape(reduceMean(x, axes), []);
}

/** The sum of squares of all elements, as a scalar; no gradient. */
export function sumOfSquares(x: Tensor): Tensor {
  const axes = x.shape.map((_, axis) => axis);
  return reshape(sumOfSquaresOver(x, axes), []);
}

/** Sum of squares over `axes`, which stay as axes of length 1; no gradient. */
export function sumOfSquaresOver(x: Tensor, axes: readonly number[]): Tensor {
  return reduce("ReduceSumSquare", x, { axes });
}

/** Where a < b; no gradient. */
export function less(a: Tensor, b: Tensor): Tensor {
  return stage("Less", [a, b], { shape: broadcast(a, b), type: "bool" });
}

export function and(a: Tensor, b: Tensor): Tensor {
  return stage("And", [a, b], { shape: broadcast(a, b), type: "bool" });
}

export function min(a: Tensor, b: Tensor): Tensor {
  return stage("Min", [a, b], { shape: broadcast(a, b) });
}

/** `a` where `condition`, else `b`: never touches the other, so that a NaN there does no harm. No gradient. */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  return stage("Where", [condition, a, b], { shape: broadcast(a, b) });
}

/** Whether b is the constant 1, which the loss's own gradient is. */
function isOne({ source, shape }: Tensor): boolean {
  return source.kind === "constant" && shape.length === 0 && source.data[0] === 1;
}

/** `g` summed over the axes along which a tensor of `shape` was broadcast. */
function sumTo(g: Tensor, shape: Shape): Tensor {
  if (sameShape(g.shape, shape)) return g;
  const added = g.shape.length - shape.length;
  const axes = g.shape.map((_, axis) => axis).filter((axis) => axis < added || shape[axis - added] === 1);
  return reshape(reduceSum(g, axes), shape);
}

function spread(g: Tensor, shape: Shape): Tensor {
  const target = constant(BigInt64Array.from(shape, BigInt), [shape.length]);
  return stage("Expand", [g, target], { shape, gradient: (h) => [sumTo(h, g.shape), undefined] });
}

function reduce(
  type: string,
  x: Tensor,
  options: { axes: readonly number[]; gradient?: (g: Tensor) => Tensor[] },
): Tensor {
  const { axes, gradient } = options;
  const shape = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
  const attributes = { keepdims: { kind: "int", value: 1 } } as const;
  const axesTensor = constant(BigInt64Array.from(axes, BigInt), [axes.length]);
  return stage(type, [x, axesTensor], {
    shape,
    attributes,
    ...(gradient && { gradient: (g) => gradient(g) }),
  });
}

function broadcast(a: Tensor, b: Tensor): Shape {
  const rank = Math.max(a.shape.length, b.shape.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = a.shape[axis - rank + a.shape.length] ?? 1;
    const y = b.shape[axis - rank + b.shape.length] ?? 1;
    assert(x === y || x === 1 || y === 1, `cannot broadcast [${a.shape.join()}] with [${b.shape.join()}]`);
    return x === 1 ? y : x;
  });
}

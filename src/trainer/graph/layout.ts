/** Operations that move elements without changing them. */
import { assert } from "../../core/index.ts";
import { constant, sizeOf, stage, type Shape, type Tensor } from "./tensor.ts";

export function reshape(x: Tensor, shape: Shape): Tensor {
  assert(sizeOf(shape) === sizeOf(x.shape), `cannot reshape [${x.shape.join()}] to [${shape.join()}]`);
  const target = constant(BigInt64Array.from(shape, BigInt), [shape.length]);
  return stage("Reshape", [x, target], {
    shape,
    type: x.type,
    gradient: (g) => [reshape(g, x.shape), undefined],
  });
}

/** Axis i of the output is axis `order[i]` of x. */
export function transpose(x: Tensor, order: readonly number[]): Tensor {
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return stage("Transpose", [x], {
    shape: order.map((axis) => x.shape[axis] as number),
    attributes: { perm: { kind: "ints", value: order } },
    gradient: (g) => [transpose(g, inverse)],
  });
}

/** One after another along `axis`; no gradient, since only gradients are put together. */
export function concat(parts: readonly Tensor[], axis: number): Tensor {
  const [first] = parts as readonly [Tensor];
  const length = parts.reduce((sum, { shape }) => sum + (shape[axis] as number), 0);
  const shape = first.shape.map((own, i) => (i === axis ? length : own));
  return stage("Concat", parts, { shape, attributes: { axis: { kind: "int", value: axis } } });
}

/** Elements [start, end) of one axis; no gradient, since nothing that is learned is sliced. */
export function slice(x: Tensor, axis: number, [start, end]: readonly [number, number]): Tensor {
  const bound = (value: number): Tensor => constant(BigInt64Array.of(BigInt(value)), [1]);
  const shape = x.shape.map((length, i) => (i === axis ? end - start : length));
  return stage("Slice", [x, bound(start), bound(end), bound(axis)], { shape, type: x.type });
}

/** The same elements under another name; the gradient passes as it is. */
export function identity(x: Tensor): Tensor {
  return stage("Identity", [x], { shape: x.shape, type: x.type, gradient: (g) => [g] });
}

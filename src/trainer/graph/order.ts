/**
 * When something is computed. The runtime orders a graph as it likes, as long as inputs come first, and merges nodes
 * that compute the same; a false dependency tells it to wait, and keeps a recomputation from being merged away.
 */
import { add, less } from "./arithmetic.ts";
import { pullBack } from "./differentiate.ts";
import { reshape, slice } from "./layout.ts";
import { stage, withDerivative, type Tensor } from "./tensor.ts";

/** The value of x, not before y is computed. */
export function after(x: Tensor, y: Tensor): Tensor {
  let first = y;
  y.shape.forEach((length, axis) => {
    if (length > 1) first = slice(first, axis, [0, 1]);
  });
  const one = reshape(first, []);
  // Nothing is less than itself, not even NaN: false, as a number 0.
  const to = { kind: "int", value: x.type === "int32" ? 6 : 1 } as const;
  const zero = stage("Cast", [less(one, one)], { shape: [], type: x.type, attributes: { to } });
  return add(x, zero);
}

/**
 * f of `inputs`, whose inner values are not kept for the backward pass but computed again when the gradient arrives
 * (Chen et al. 2016, "Training deep nets with sublinear memory cost"). Waiting concerns the first input alone, since
 * the others are weights.
 */
export function recomputed(
  inputs: readonly [Tensor, ...Tensor[]],
  f: (inputs: readonly Tensor[]) => Tensor,
): Tensor {
  const [x, ...weights] = inputs;
  const rule = (g: Tensor): Tensor[] => {
    // Cut off from what came before: its gradient is the caller's to carry on.
    const fresh = [after(x, g), ...weights].map(({ type, shape, source }) => ({ type, shape, source }));
    return pullBack(f(fresh), g, fresh);
  };
  return withDerivative(f(inputs), { inputs, rule });
}

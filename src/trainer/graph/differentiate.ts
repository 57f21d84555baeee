/**
 * Reverse-mode differentiation: walks from the loss back to the parameters, applying each tensor's gradient rule
 * and adding where paths meet. The rules stage ordinary operations, so the result is more of the same graph.
 */
import { assert } from "../../core/index.ts";
import { add } from "./arithmetic.ts";
import { constant, sameShape, scalar, sizeOf, type Tensor } from "./tensor.ts";
import { topologicalOrder } from "./topological.ts";

/** The gradients of `loss`, a scalar, with respect to each of `parameters`, in their order and of their shapes. */
export function differentiate(loss: Tensor, parameters: readonly Tensor[]): Tensor[] {
  assert(loss.shape.length === 0, `differentiate wants a scalar, got shape [${loss.shape.join()}]`);
  return pullBack(loss, scalar(1), parameters);
}

/** The gradients of sum(`gradient` * `output`) with respect to each of `parameters`. */
export function pullBack(output: Tensor, gradient: Tensor, parameters: readonly Tensor[]): Tensor[] {
  const order = topologicalOrder([output], (tensor) => tensor.derivative?.inputs ?? []);
  const wanted = tensorsOnPathTo(parameters, order);
  const gradients = new Map<Tensor, Tensor>([[output, gradient]]);
  for (const tensor of order.reverse()) {
    const arrived = gradients.get(tensor);
    const { derivative } = tensor;
    if (arrived === undefined || derivative === undefined || !wanted.has(tensor)) continue;
    const contributions = derivative.rule(arrived);
    derivative.inputs.forEach((from, i) => {
      const contribution = contributions[i];
      if (contribution === undefined || !wanted.has(from)) return;
      assert(
        sameShape(contribution.shape, from.shape),
        `gradient of shape [${contribution.shape.join()}] for a tensor of shape [${from.shape.join()}]`,
      );
      const sum = gradients.get(from);
      gradients.set(from, sum === undefined ? contribution : add(sum, contribution));
    });
  }
  return parameters.map((parameter) => gradients.get(parameter) ?? zeros(parameter));
}

/** Those of `order` (dependencies first) whose value depends on a parameter; the others need no gradient. */
function tensorsOnPathTo(parameters: readonly Tensor[], order: readonly Tensor[]): Set<Tensor> {
  const wanted = new Set<Tensor>(parameters);
  for (const tensor of order) {
    if (tensor.derivative?.inputs.some((from) => wanted.has(from))) wanted.add(tensor);
  }
  return wanted;
}

function zeros(like: Tensor): Tensor {
  return constant(new Float32Array(sizeOf(like.shape)), like.shape);
}

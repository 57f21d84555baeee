/** The same program several times in a row, in one run: ONNX's Loop. */
import { identity } from "./layout.ts";
import { constant, input, stage, stageSeveral, ANY_LENGTH, type Tensor } from "./tensor.ts";

export interface LoopBody {
  /** What the next time starts from, as `state` came. */
  readonly state: readonly Tensor[];
  /** Scalars that are kept of each time. */
  readonly each: readonly Tensor[];
}

/**
 * `count` (int64 scalar) times `body` of the iteration 0, 1, ... (int64 scalar) and the state. The body may use inputs
 * of the program around it. No gradient.
 */
export function loop(
  count: Tensor,
  state: readonly Tensor[],
  body: (iteration: Tensor, state: readonly Tensor[]) => LoopBody,
): { state: Tensor[]; each: Tensor[] } {
  const iteration = input("iteration", "int64", []);
  const goesOn = input("goesOn", "bool", []);
  const carried = state.map(({ type, shape }, i) => input(`state${i}`, type, shape));
  const made = body(iteration, carried);
  const graph = {
    kind: "graph",
    inputs: [iteration, goesOn, ...carried],
    outputs: [identity(goesOn), ...made.state, ...made.each],
  } as const;
  const each = made.each.map(({ type }) => ({ type, shape: [ANY_LENGTH] }));
  const always = stage("Cast", [constant(Int32Array.of(1), [])], {
    shape: [],
    type: "bool",
    attributes: { to: { kind: "int", value: 9 } },
  });
  const outputs = stageSeveral("Loop", [count, always, ...state], {
    attributes: { body: graph },
    outputs: [...state, ...each],
  });
  return { state: outputs.slice(0, state.length), each: outputs.slice(state.length) };
}

/** Element `index` (int64 scalar) along the first axis, which goes; no gradient. */
export function pick(x: Tensor, index: Tensor): Tensor {
  return stage("Gather", [x, index], { shape: x.shape.slice(1), type: x.type });
}

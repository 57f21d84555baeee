/**
 * Staged tensors: values that are described now and computed later by a runtime. An operation function (add,
 * gemm, ...) makes a `Tensor` that remembers which operation produces it and how gradients flow back through it;
 * the ONNX writer walks the first, `differentiate` the second. Shapes are static.
 */
import { assert } from "../../core/index.ts";

export type ElementType = "float32" | "float16" | "int32" | "int64" | "bool";
export type Shape = readonly number[];

/** The length of an axis that only a run knows; elementwise operations alone take it. */
export const ANY_LENGTH = -1;

export type Attribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "text"; readonly value: string }
  /** The body of a loop: a graph of its own, which may use the inputs of the graph around it. */
  | { readonly kind: "graph"; readonly inputs: readonly Tensor[]; readonly outputs: readonly Tensor[] };

/** One node of the graph, in ONNX's words. */
export interface Operation {
  readonly type: string;
  /** "" is ONNX itself; "com.microsoft" are ONNX Runtime's own operators. */
  readonly domain: string;
  readonly inputs: readonly Tensor[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** One for each output of an operation that has several. */
  readonly parts?: readonly Source[];
}

export type ConstantData = Float32Array | Int32Array | BigInt64Array;

export type Source =
  | { readonly kind: "input"; readonly name: string }
  | {
      readonly kind: "constant";
      readonly type: ElementType;
      readonly shape: Shape;
      readonly data: ConstantData;
    }
  | { readonly kind: "operation"; readonly operation: Operation }
  | { readonly kind: "part"; readonly of: Source };

/** How gradients flow: `rule` maps the gradient of the output to those of `inputs` (undefined: none flows). */
export interface Derivative {
  readonly inputs: readonly Tensor[];
  rule(gradient: Tensor): readonly (Tensor | undefined)[];
}

export interface Tensor {
  readonly type: ElementType;
  readonly shape: Shape;
  readonly source: Source;
  readonly derivative?: Derivative;
}

export function input(name: string, type: ElementType, shape: Shape): Tensor {
  return { type, shape, source: { kind: "input", name } };
}

export function constant(data: ConstantData, shape: Shape): Tensor {
  assert(data.length === sizeOf(shape), `constant of shape [${shape.join()}] has ${data.length} elements`);
  const type = data instanceof Float32Array ? "float32" : data instanceof Int32Array ? "int32" : "int64";
  return { type, shape, source: { kind: "constant", type, shape, data } };
}

export function scalar(value: number): Tensor {
  return constant(Float32Array.of(value), []);
}

export interface StageOptions {
  readonly shape: Shape;
  readonly type?: ElementType;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** One gradient per input, or undefined where none flows; without it no gradient flows through at all. */
  readonly gradient?: (gradient: Tensor) => readonly (Tensor | undefined)[];
}

/** The output of a new operation. */
export function stage(type: string, inputs: readonly Tensor[], options: StageOptions): Tensor {
  const { shape, domain = "", attributes = {}, gradient } = options;
  const source: Source = { kind: "operation", operation: { type, domain, inputs, attributes } };
  const tensor: Tensor = { type: options.type ?? "float32", shape, source };
  return gradient === undefined ? tensor : { ...tensor, derivative: { inputs, rule: gradient } };
}

/** The outputs of a new operation that has several, of these types and shapes; no gradient. */
export function stageSeveral(
  type: string,
  inputs: readonly Tensor[],
  o: {
    attributes: Readonly<Record<string, Attribute>>;
    outputs: readonly { readonly type: ElementType; readonly shape: Shape }[];
  },
): Tensor[] {
  const parts: Source[] = [];
  const operation: Operation = { type, domain: "", inputs, attributes: o.attributes, parts };
  const of: Source = { kind: "operation", operation };
  for (const _ of o.outputs) parts.push({ kind: "part", of });
  return o.outputs.map(({ type: element, shape }, i) => ({
    type: element,
    shape,
    source: parts[i] as Source,
  }));
}

/** The same value with a gradient rule of its own: for compositions whose derivative is simpler than its parts'. */
export function withDerivative(tensor: Tensor, derivative: Derivative): Tensor {
  return { ...tensor, derivative };
}

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

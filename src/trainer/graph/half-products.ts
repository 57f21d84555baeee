/**
 * Mixed precision (Micikevicius et al. 2018): matrix products of float16 factors, everything else in float32, weights and
 * moments above all. A pass over the finished graph, so that products of the backward pass are found as well.
 */
import { DATA_TYPE } from "./onnx-schema.ts";
import { type ElementType, type Source, type Tensor, stage } from "./tensor.ts";
import { topologicalOrder } from "./topological.ts";

const PRODUCTS: ReadonlySet<string> = new Set(["Gemm", "MatMul"]);

/** The same outputs, by the same names, with every matrix product computed from factors rounded to float16. */
export function halveProducts(outputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const replaced = new Map<Source, Source>();
  const halves = new Map<Source, Tensor>(); // a weight is rounded once, however many products read it
  const mapped = (x: Tensor): Tensor => ({ ...x, source: replaced.get(x.source) ?? x.source });
  const halved = (x: Tensor): Tensor => {
    const half = halves.get(x.source) ?? cast(x, "float16");
    halves.set(x.source, half);
    return half;
  };
  const order = topologicalOrder(
    Object.values(outputs).map(({ source }) => source),
    (source) => (source.kind === "operation" ? source.operation.inputs.map((x) => x.source) : []),
  );
  for (const source of order) {
    if (source.kind !== "operation") continue;
    const { operation } = source;
    const inputs = operation.inputs.map(mapped);
    if (PRODUCTS.has(operation.type)) {
      const product = { kind: "operation", operation: { ...operation, inputs: inputs.map(halved) } } as const;
      // The product's shape does not matter here: whoever reads it knows it.
      replaced.set(source, cast({ type: "float16", shape: [], source: product }, "float32").source);
    } else if (inputs.some((x, i) => x.source !== operation.inputs[i]?.source)) {
      replaced.set(source, { kind: "operation", operation: { ...operation, inputs } });
    }
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, mapped(tensor)]));
}

function cast(x: Tensor, type: ElementType): Tensor {
  return stage("Cast", [x], {
    shape: x.shape,
    type,
    attributes: { to: { kind: "int", value: DATA_TYPE[type] } },
  });
}

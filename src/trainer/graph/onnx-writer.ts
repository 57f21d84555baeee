/** Staged tensors -> the bytes of an ONNX model. */
import { assert, bytesOf } from "../../core/index.ts";
import { ATTRIBUTE_TYPE, DATA_TYPE, OnnxModel } from "./onnx-schema.ts";
import {
  ANY_LENGTH,
  type Attribute,
  type ElementType,
  type Shape,
  type Source,
  type Tensor,
} from "./tensor.ts";
import { topologicalOrder } from "./topological.ts";

/** The newest set for whose operators all of the runtime's devices have kernels (Guess: as of ONNX Runtime 1.30). */
const OPSET_VERSION = 18;
const IR_VERSION = 8;

/**
 * The bytes of a model that computes `outputs`, by name. `inputs` are declared in this order, used or not.
 * Constants go in as initializers, so the runtime folds what depends on nothing else.
 */
export function writeOnnx(inputs: readonly Tensor[], outputs: Readonly<Record<string, Tensor>>): Uint8Array {
  const names = new Map<Source, string>();
  for (const tensor of inputs) {
    assert(tensor.source.kind === "input", "writeOnnx: every declared input is made by input()");
    names.set(tensor.source, tensor.source.name);
  }
  for (const [name, tensor] of Object.entries(outputs)) {
    assert(!names.has(tensor.source), `writeOnnx: output ${name} is also an input or another output`);
    names.set(tensor.source, name);
  }
  const order = topologicalOrder(
    Object.values(outputs).map((tensor) => tensor.source),
    (source) => (source.kind === "operation" ? source.operation.inputs.map((tensor) => tensor.source) : []),
  );

  const node: object[] = [];
  const initializer: object[] = [];
  order.forEach((source, index) => {
    const name = names.get(source) ?? `${source.kind === "constant" ? "c" : "t"}${index}`;
    names.set(source, name);
    if (source.kind === "constant") {
      const { shape, type, data } = source;
      initializer.push({ dims: shape, dataType: DATA_TYPE[type], name, rawData: bytesOf(data) });
    } else if (source.kind === "operation") {
      const { type, domain, inputs: from, attributes } = source.operation;
      node.push({
        input: from.map((tensor) => names.get(tensor.source)),
        output: [name],
        name: `${type}_${index}`,
        opType: type,
        domain,
        attribute: Object.entries(attributes).map(([key, value]) => writeAttribute(key, value)),
      });
    } else {
      const declared = inputs.some((tensor) => tensor.source === source);
      assert(declared, `writeOnnx: input ${source.name} is not declared`);
    }
  });

  const graph = {
    node,
    name: "starling",
    initializer,
    input: inputs.map((tensor) => writeValue(names.get(tensor.source) as string, tensor)),
    output: Object.entries(outputs).map(([name, tensor]) => writeValue(name, tensor)),
  };
  const opsetImport = [
    { domain: "", version: OPSET_VERSION },
    { domain: "com.microsoft", version: 1 },
  ];
  const model = { irVersion: IR_VERSION, producerName: "starling", graph, opsetImport };
  return OnnxModel.encode(OnnxModel.create(model)).finish();
}

function writeValue(name: string, { type, shape }: { type: ElementType; shape: Shape }): object {
  const dim = shape.map((length) => (length === ANY_LENGTH ? { dimParam: "n" } : { dimValue: length }));
  return { name, type: { tensorType: { elemType: DATA_TYPE[type], shape: { dim } } } };
}

function writeAttribute(name: string, attribute: Attribute): object {
  const type = ATTRIBUTE_TYPE[attribute.kind];
  switch (attribute.kind) {
    case "int":
      return { name, type, i: attribute.value };
    case "float":
      return { name, type, f: attribute.value };
    case "ints":
      return { name, type, ints: attribute.value };
    case "text":
      return { name, type, s: new TextEncoder().encode(attribute.value) };
  }
}

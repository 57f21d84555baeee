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
  const graph = writeGraph({ inputs, outputs, prefix: "", outer: new Map() });
  const opsetImport = [
    { domain: "", version: OPSET_VERSION },
    { domain: "com.microsoft", version: 1 },
  ];
  const model = { irVersion: IR_VERSION, producerName: "starling", graph, opsetImport };
  return OnnxModel.encode(OnnxModel.create(model)).finish();
}

interface Scope {
  readonly inputs: readonly Tensor[];
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Of every name but those of outputs; a loop's body must not use a name of the graph around it again. */
  readonly prefix: string;
  /** What a loop's body finds around it. */
  readonly outer: ReadonlyMap<Source, string>;
}

function writeGraph({ inputs, outputs, prefix, outer }: Scope): object {
  const names = new Map<Source, string>();
  for (const { source } of inputs) {
    assert(source.kind === "input", "writeOnnx: every declared input is made by input()");
    names.set(source, prefix + source.name);
  }
  for (const [name, tensor] of Object.entries(outputs)) {
    assert(!names.has(tensor.source), `writeOnnx: output ${name} is also an input or another output`);
    names.set(tensor.source, name);
  }
  const order = topologicalOrder(
    Object.values(outputs).map((tensor) => tensor.source),
    dependenciesOf,
  );

  const node: object[] = [];
  const initializer: object[] = [];
  order.forEach((source, index) => {
    const nameOf = (made: Source, name: string): string => {
      const known = names.get(made) ?? prefix + name;
      names.set(made, known);
      return known;
    };
    if (source.kind === "constant") {
      const { shape, type, data } = source;
      const name = nameOf(source, `c${index}`);
      initializer.push({ dims: shape, dataType: DATA_TYPE[type], name, rawData: bytesOf(data) });
    } else if (source.kind === "operation") {
      const { type, domain, inputs: from, attributes, parts } = source.operation;
      const name = `${prefix}${type}_${index}`;
      node.push({
        input: from.map((tensor) => names.get(tensor.source) ?? outer.get(tensor.source)),
        output: parts?.map((part, i) => nameOf(part, `t${index}.${i}`)) ?? [nameOf(source, `t${index}`)],
        name,
        opType: type,
        domain,
        attribute: Object.entries(attributes).map(([key, value]) =>
          writeAttribute(key, value, { name, names }),
        ),
      });
    } else if (source.kind === "input") {
      assert(names.has(source) || outer.has(source), `writeOnnx: input ${source.name} is not declared`);
    }
  });

  return {
    node,
    name: `${prefix}starling`,
    initializer,
    input: inputs.map((tensor) => writeValue(names.get(tensor.source) as string, tensor)),
    output: Object.entries(outputs).map(([name, tensor]) => writeValue(name, tensor)),
  };
}

function dependenciesOf(source: Source): Source[] {
  if (source.kind === "part") return [source.of];
  if (source.kind !== "operation") return [];
  // What a loop's body takes from around it must be written before the loop; only inputs are, and these are always.
  return source.operation.inputs.map((tensor) => tensor.source);
}

function writeValue(name: string, { type, shape }: { type: ElementType; shape: Shape }): object {
  const dim = shape.map((length) => (length === ANY_LENGTH ? { dimParam: "n" } : { dimValue: length }));
  return { name, type: { tensorType: { elemType: DATA_TYPE[type], shape: { dim } } } };
}

function writeAttribute(
  name: string,
  attribute: Attribute,
  around: { readonly name: string; readonly names: ReadonlyMap<Source, string> },
): object {
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
    case "graph": {
      const prefix = `${around.name}/`;
      const outputs = Object.fromEntries(attribute.outputs.map((tensor, i) => [`${prefix}out${i}`, tensor]));
      const g = writeGraph({ inputs: attribute.inputs, outputs, prefix, outer: around.names });
      return { name, type, g };
    }
  }
}

/** The part of onnx.proto3 that a training graph needs, as a protobufjs descriptor (field numbers: onnx/onnx.proto). */
import protobuf from "protobufjs/light.js";

const field = (type: string, id: number): protobuf.IField => ({ type, id });
const repeated = (type: string, id: number): protobuf.IField => ({ rule: "repeated", type, id });

const descriptor: protobuf.INamespace = {
  nested: {
    OperatorSet: { fields: { domain: field("string", 1), version: field("int64", 2) } },
    Dimension: { fields: { dimValue: field("int64", 1), dimParam: field("string", 2) } },
    TensorShape: { fields: { dim: repeated("Dimension", 1) } },
    TensorType: { fields: { elemType: field("int32", 1), shape: field("TensorShape", 2) } },
    Type: { fields: { tensorType: field("TensorType", 1) } },
    ValueInfo: { fields: { name: field("string", 1), type: field("Type", 2) } },
    Tensor: {
      fields: {
        dims: repeated("int64", 1),
        dataType: field("int32", 2),
        name: field("string", 8),
        rawData: field("bytes", 9),
      },
    },
    Attribute: {
      fields: {
        name: field("string", 1),
        f: field("float", 2),
        i: field("int64", 3),
        s: field("bytes", 4),
        g: field("Graph", 6),
        ints: repeated("int64", 8),
        type: field("int32", 20),
      },
    },
    Node: {
      fields: {
        input: repeated("string", 1),
        output: repeated("string", 2),
        name: field("string", 3),
        opType: field("string", 4),
        attribute: repeated("Attribute", 5),
        domain: field("string", 7),
      },
    },
    Graph: {
      fields: {
        node: repeated("Node", 1),
        name: field("string", 2),
        initializer: repeated("Tensor", 5),
        input: repeated("ValueInfo", 11),
        output: repeated("ValueInfo", 12),
      },
    },
    Model: {
      fields: {
        irVersion: field("int64", 1),
        producerName: field("string", 2),
        graph: field("Graph", 7),
        opsetImport: repeated("OperatorSet", 8),
      },
    },
  },
};

export const OnnxModel: protobuf.Type = protobuf.Root.fromJSON(descriptor).lookupType("Model");

/** TensorProto.DataType */
export const DATA_TYPE = { float32: 1, int32: 6, int64: 7, bool: 9, float16: 10 } as const;
/** AttributeProto.AttributeType */
export const ATTRIBUTE_TYPE = { float: 1, int: 2, text: 3, ints: 7, graph: 5 } as const;

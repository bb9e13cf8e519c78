import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { UserError } from '../../../base/errors.ts';
import { memoryText } from '../../../base/process/memory.ts';
import { writeMessage } from '../../protobuf/message.ts';
import { GraphProtoSchema, ModelProtoSchema, TensorProtoSchema } from '../../protobuf/onnx_pb.ts';
import type { Model, OnnxTensor } from '../model.ts';
import { endsInit, given, headInit, nodeInit, tensorInit } from './init.ts';

/** Maximum bytes of a message of protobuf (protobuf.dev/programming-guides/proto-limits), as which ONNX Runtime is given models. */
export const MOST_ONNX_BYTES = 2 ** 31 - 1;

type Parts = readonly Uint8Array[];

/** Minimum bytes of tensor values that bypass the protobuf library, which copies data several times. */
const LARGE = 65_536;

/** Number of nodes or small weights that the library encodes at a time: messages of a whole model would be large. */
const CHUNK = 256;

const FIELDS = {
  graph: ModelProtoSchema.field.graph.number,
  initializer: GraphProtoSchema.field.initializer.number,
  rawData: TensorProtoSchema.field.rawData.number,
};

/**
 * Serializes a model: equal models give equal bytes. Concatenated messages are one message, so weights' values are inserted between the library's
 * output and copied once: through the library alone a model of 100 MB took three times the time and 1.5 times the memory. `UserError` for a model of
 * more than 2 GiB.
 */
export function encodeModel(model: Model): Uint8Array {
  const { nodes, name, initializers, ...ends } = model.graph;
  const graph = [
    ...chunksOf(nodes).map((some) => writeMessage(GraphProtoSchema, { node: some.map(nodeInit) })),
    writeMessage(GraphProtoSchema, { name }),
    ...initializerParts(initializers),
    writeMessage(GraphProtoSchema, endsInit(ends)),
  ];
  return joined([
    writeMessage(ModelProtoSchema, {
      irVersion: BigInt(model.irVersion),
      ...given('producerName', model.producerName),
      ...given('producerVersion', model.producerVersion),
    }),
    ...delimited(FIELDS.graph, graph),
    writeMessage(ModelProtoSchema, {
      opsetImport: Array.from(model.opsets, ([domain, version]) => ({
        ...given('domain', domain),
        version: BigInt(version),
      })),
      metadataProps: Array.from(model.metadata, ([key, value]) => ({ key, value })),
      functions: model.functions.map(({ bytes }) => bytes),
    }),
  ]);
}

/** Fields of a graph. Small weights are encoded many at a time, others individually. */
function initializerParts(tensors: readonly OnnxTensor[]): Parts {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < tensors.length;) {
    const from = i;
    while (i < tensors.length && i < from + CHUNK && tensors[i]!.raw.length < LARGE) i++;
    if (i > from) parts.push(writeMessage(GraphProtoSchema, { initializer: tensors.slice(from, i).map(tensorInit) }));
    else parts.push(...delimited(FIELDS.initializer, tensorParts(tensors[i++]!)));
  }
  return parts;
}

function tensorParts(tensor: OnnxTensor): Parts {
  return [writeMessage(TensorProtoSchema, headInit(tensor)), ...delimited(FIELDS.rawData, [tensor.raw])];
}

function chunksOf<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / CHUNK) }, (_, i) => all.slice(i * CHUNK, (i + 1) * CHUNK));
}

/** A field whose content is these bytes, concatenated. */
function delimited(field: number, parts: Parts): Parts {
  return [new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(lengthOf(parts)).finish(), ...parts];
}

function joined(parts: Parts): Uint8Array {
  const out = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function lengthOf(parts: Parts): number {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > MOST_ONNX_BYTES)
    throw new UserError(
      `the ONNX file would take ${memoryText(length)}, expected at most ${memoryText(MOST_ONNX_BYTES)}, which a model in one piece can have`,
      'Write it with fewer bits, or take a smaller model.',
    );
  return length;
}

import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { UserError } from '../../../base/errors.ts';
import { memoryText } from '../../../base/numbers.ts';
import { writeMessage } from '../../protobuf/message.ts';
import { GraphProtoSchema, ModelProtoSchema, TensorProtoSchema } from '../../protobuf/onnx_pb.ts';
import { LargeOnnx, ONNX_LIMIT } from '../large.ts';
import type { OnnxContent } from '../large.ts';
import { tensorBytes } from '../model.ts';
import type { Model, OnnxTensor } from '../model.ts';
import { EXTERNAL } from './decode-tensor.ts';
import { endsInit, given, headInit, nodeInit, tensorInit } from './init.ts';

type Parts = readonly Uint8Array[];

/** Minimum bytes of tensor values that bypass the protobuf library, which copies data several times. */
const LARGE = 65_536;

/** Number of nodes or small weights that the library encodes at a time: messages of a whole model would be large. */
const CHUNK = 256;

/** Offsets of values in a file of weights are multiples of a page, as onnx.proto advises, so that readers can map the file into memory. */
const PAGE = 4096;

const FIELDS = {
  graph: ModelProtoSchema.field.graph.number,
  initializer: GraphProtoSchema.field.initializer.number,
  rawData: TensorProtoSchema.field.rawData.number,
};

/**
 * Serializes a model: equal models give equal bytes. Concatenated messages are one message, so weights' values are inserted between the library's
 * output and copied once: through the library alone a model of 100 MB took three times the time and 1.5 times the memory. `UserError` for a model of
 * more than 2 GiB, whose content is that of `onnxContent`.
 */
export function encodeModel(model: Model): Uint8Array {
  const content = onnxContent(model);
  if (content instanceof Uint8Array) return content;
  throw new UserError(
    `the ONNX file would take ${memoryText(content.length)}, expected at most ${memoryText(ONNX_LIMIT.bytes)}, which a model in one piece can have`,
    'Write it with fewer bits, or take a smaller model.',
  );
}

/** Content of the file of a model of any size. */
export function onnxContent(model: Model): OnnxContent {
  const weights = model.graph.initializers.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  if (weights > ONNX_LIMIT.bytes) return new LargeOnnx(model, weights);
  const parts = modelParts(model);
  const length = lengthOf(parts);
  return length > ONNX_LIMIT.bytes ? new LargeOnnx(model, length) : joined(parts);
}

/** Place of a tensor's values: a file beside that of the model, and the offset in it. */
interface ExternalPlace {
  readonly location: string;
  readonly offset: number;
}

/** The file of a large model without the values of its large weights. */
export interface Separated {
  readonly bytes: Uint8Array;
  readonly places: ReadonlyMap<OnnxTensor, ExternalPlace>;
  /** Bytes of the file of weights, or of the last of several. */
  readonly length: number;
}

/** Separates values from a model, into the file `location`, or, without it, each tensor into one of its own. `UserError` for nodes above 2 GiB. */
export function separated({ model }: LargeOnnx, location?: string): Separated {
  const places = new Map<OnnxTensor, ExternalPlace>();
  let end = 0;
  for (const tensor of model.graph.initializers) {
    if (tensor.strings !== undefined || tensorBytes(tensor) < LARGE) continue;
    const offset = location === undefined ? 0 : Math.ceil(end / PAGE) * PAGE;
    places.set(tensor, { location: location ?? `${places.size}`, offset });
    end = offset + tensorBytes(tensor);
  }
  const parts = modelParts(model, places);
  const length = lengthOf(parts);
  // A limit that a test has lowered is for models.
  if (length > Math.max(ONNX_LIMIT.bytes, 2 ** 30))
    throw new UserError(
      `the ONNX file would take ${memoryText(length)} without its weights, expected at most ${memoryText(ONNX_LIMIT.bytes)}`,
      'Take a smaller model, or keep its large values in initializers, not in nodes.',
    );
  return { bytes: joined(parts), places, length: end };
}

/** Bytes of a model for a hash or a compressor: the file of a small model; of a large one, its file and then its weights. */
export function* contentBytes(content: OnnxContent): Generator<Uint8Array> {
  const made = content instanceof LargeOnnx ? separated(content) : undefined;
  yield made?.bytes ?? (content as Uint8Array);
  if (made !== undefined) for (const { raw } of made.places.keys()) yield raw;
}

/** Content of the file of weights, from its beginning. */
export function* externalValues({ places }: Separated): Generator<Uint8Array> {
  let end = 0;
  for (const [tensor, { offset }] of places) {
    if (offset > end) yield new Uint8Array(offset - end);
    yield tensor.raw;
    end = offset + tensorBytes(tensor);
  }
}

function modelParts(model: Model, places: Separated['places'] = new Map()): Parts {
  const { nodes, name, initializers, ...ends } = model.graph;
  const graph = [
    ...chunksOf(nodes).map((some) => writeMessage(GraphProtoSchema, { node: some.map(nodeInit) })),
    writeMessage(GraphProtoSchema, { name }),
    ...initializerParts(initializers, places),
    writeMessage(GraphProtoSchema, endsInit(ends)),
  ];
  return [
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
  ];
}

/** Fields of a graph. Small weights are encoded many at a time, others individually. */
function initializerParts(tensors: readonly OnnxTensor[], places: Separated['places']): Parts {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < tensors.length;) {
    const from = i;
    while (i < tensors.length && i < from + CHUNK && tensorBytes(tensors[i]!) < LARGE) i++;
    if (i > from) parts.push(writeMessage(GraphProtoSchema, { initializer: tensors.slice(from, i).map(tensorInit) }));
    else parts.push(...delimited(FIELDS.initializer, tensorParts(tensors[i]!, places.get(tensors[i++]!))));
  }
  return parts;
}

function tensorParts(tensor: OnnxTensor, place: ExternalPlace | undefined): Parts {
  if (place !== undefined) {
    const entries = Object.entries({ ...place, length: tensorBytes(tensor) });
    const externalData = entries.map(([key, value]) => ({ key, value: String(value) }));
    return [writeMessage(TensorProtoSchema, { ...headInit(tensor), externalData, dataLocation: EXTERNAL })];
  }
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
  return parts.reduce((sum, part) => sum + part.length, 0);
}

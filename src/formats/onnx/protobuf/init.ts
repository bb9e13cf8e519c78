import type { MessageInitShape } from '@bufbuild/protobuf';
import { writeMessage } from '../../protobuf/message.ts';
import { TypeProtoSchema } from '../../protobuf/onnx_pb.ts';
import type { AttributeProtoSchema, GraphProtoSchema, TensorProtoSchema } from '../../protobuf/onnx_pb.ts';
import { dataTypes } from '../model.ts';
import type { OnnxAttr, OnnxDim, OnnxGraph, OnnxNode, OnnxTensor, ValueInfo } from '../model.ts';

type TensorInit = MessageInitShape<typeof TensorProtoSchema>;

/** `AttributeProto.AttributeType` */
export const attrTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
} as const;

function graphInit(graph: OnnxGraph): MessageInitShape<typeof GraphProtoSchema> {
  const { nodes, name, initializers, ...ends } = graph;
  return { node: nodes.map(nodeInit), name, initializer: initializers.map(tensorInit), ...endsInit(ends) };
}

export function endsInit({ inputs, outputs, valueInfos }: Pick<OnnxGraph, 'inputs' | 'outputs' | 'valueInfos'>) {
  return {
    input: inputs.map(valueInfoInit),
    output: outputs.map(valueInfoInit),
    valueInfo: valueInfos.map(valueInfoInit),
  };
}

export function nodeInit(node: OnnxNode) {
  return {
    input: [...node.inputs],
    output: [...node.outputs],
    opType: node.op,
    ...given('name', node.name),
    attribute: Array.from(node.attrs, ([name, attr]) => attrInit(name, attr)),
    ...given('domain', node.domain),
  };
}

function attrInit(name: string, attr: OnnxAttr): MessageInitShape<typeof AttributeProtoSchema> {
  switch (attr.type) {
    case 'reference':
      return { name, refAttrName: attr.value, type: attr.attrType };
    case 'other':
      return { name, ...othersInit(attr.value), type: attr.attrType };
    default:
      return { name, ...valueInit(attr), type: attrTypes[attr.type] };
  }
}

function valueInit(attr: Exclude<OnnxAttr, { type: 'reference' | 'other' }>) {
  switch (attr.type) {
    case 'float':
      return { f: Math.fround(attr.value) };
    case 'int':
      return { i: BigInt(attr.value) };
    case 'string':
      return { s: attr.value };
    case 'tensor':
      return { t: tensorInit(attr.value) };
    case 'graph':
      return { g: graphInit(attr.value) };
    case 'floats':
      return { floats: attr.value.map(Math.fround) };
    case 'ints':
      return { ints: attr.value.map(BigInt) };
    case 'strings':
      return { strings: [...attr.value] };
    case 'tensors':
      return { tensors: attr.value.map(tensorInit) };
    case 'graphs':
      return { graphs: attr.value.map(graphInit) };
  }
}

function othersInit(fields: readonly (readonly [field: number, bytes: Uint8Array])[]) {
  const bytesOf = (number: number) => fields.filter(([field]) => field === number).map(([, bytes]) => bytes);
  return { tp: bytesOf(14), typeProtos: bytesOf(15), sparseTensor: bytesOf(22), sparseTensors: bytesOf(23) };
}

export function tensorInit(tensor: OnnxTensor): TensorInit {
  return tensor.strings === undefined ? { ...headInit(tensor), rawData: tensor.raw } : headInit(tensor);
}

/** A tensor without its `raw_data`, which is its last field. */
export function headInit({ name, dtype, dims, strings }: OnnxTensor) {
  return {
    dims: dims.map(BigInt),
    dataType: dataTypes[dtype],
    ...given('name', name),
    ...(strings === undefined ? {} : { stringData: [...strings] }),
  };
}

function valueInfoInit({ name, dtype, dims, otherType, metadata = new Map() }: ValueInfo) {
  const named = { name, metadataProps: Array.from(metadata, ([key, value]) => ({ key, value })) };
  if (otherType !== undefined) return { ...named, type: otherType };
  if (dtype === undefined) return named;
  const shape = dims === undefined ? {} : { shape: { dim: dims.map(dimInit) } };
  return { ...named, type: writeMessage(TypeProtoSchema, { tensorType: { elemType: dataTypes[dtype], ...shape } }) };
}

function dimInit(dim: OnnxDim) {
  if (dim === null) return {};
  return typeof dim === 'number' ? { dimValue: BigInt(dim) } : { dimParam: dim };
}

/** A text field, omitted if empty. */
export function given<K extends string>(key: K, value: string): { [key in K]?: string } {
  return value === '' ? {} : ({ [key]: value } as { [key in K]: string });
}

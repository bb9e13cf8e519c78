import { WireError } from '../../protobuf/message.ts';
import type { AttributeProto, GraphProto } from '../../protobuf/onnx_pb.ts';
import type { Int64, OnnxAttr, OnnxGraph } from '../model.ts';
import { refuseExternal, tensorOf } from './decode-tensor.ts';
import type { ExternalFiles } from './decode-tensor.ts';
import { attrTypes } from './init.ts';

/** Types that are kept unchanged: sparse tensors and types, single or lists. */
const OTHER_TYPES = [11, 12, 13, 14];

export function attrOf(
  attr: AttributeProto,
  files: ExternalFiles,
  graphOf: (graph: GraphProto, files: ExternalFiles) => OnnxGraph,
): OnnxAttr {
  const { name = '', refAttrName = '', type = 0 } = attr;
  if (refAttrName !== '') return { type: 'reference', value: refAttrName, attrType: type };
  if (OTHER_TYPES.includes(type)) return { type: 'other', value: othersOf(attr), attrType: type };
  switch (type) {
    case attrTypes.float:
      return { type: 'float', value: attr.f ?? 0 };
    case attrTypes.int:
      return { type: 'int', value: exact(attr.i ?? 0n) };
    case attrTypes.string:
      return { type: 'string', value: attr.s ?? '' };
    case attrTypes.floats:
      return { type: 'floats', value: attr.floats };
    case attrTypes.ints:
      return { type: 'ints', value: attr.ints.map(exact) };
    case attrTypes.strings:
      return { type: 'strings', value: attr.strings };
    case attrTypes.tensors:
      return { type: 'tensors', value: attr.tensors.map((tensor) => tensorOf(tensor, files)) };
    case attrTypes.graphs:
      return { type: 'graphs', value: attr.graphs.map((graph) => graphOf(graph, files)) };
    case attrTypes.tensor:
      if (attr.t !== undefined) return { type: 'tensor', value: tensorOf(attr.t, files) };
      break;
    case attrTypes.graph:
      if (attr.g !== undefined) return { type: 'graph', value: graphOf(attr.g, files) };
      break;
  }
  throw new WireError(`attribute ${name} has type ${type} and no such value`);
}

/** A number if that is exact. */
function exact(value: bigint): Int64 {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Other values of an attribute by field number, for `encodeAttr`. */
function othersOf({ tp, typeProtos, sparseTensor, sparseTensors }: AttributeProto): [number, Uint8Array][] {
  const fields = { 14: tp, 15: typeProtos, 22: sparseTensor, 23: sparseTensors };
  return Object.entries(fields).flatMap(([field, values]) =>
    values.map((bytes): [number, Uint8Array] => [Number(field), refuseExternal(bytes, 'a sparse tensor')]),
  );
}

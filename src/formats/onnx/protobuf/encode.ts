import { dataTypes } from '../model.ts';
import type { Model, OnnxAttr, OnnxDim, OnnxGraph, OnnxNode, OnnxTensor, ValueInfo } from '../model.ts';
import { Writer } from './wire.ts';

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

/** The bytes of an .onnx file: the same model gives the same bytes. Field numbers are those of onnx.proto3. */
export function encodeModel(model: Model): Uint8Array {
  const w = new Writer();
  w.int(1, model.irVersion);
  if (model.producerName !== '') w.string(2, model.producerName);
  if (model.producerVersion !== '') w.string(3, model.producerVersion);
  w.message(7, (g) => encodeGraph(g, model.graph));
  for (const [domain, version] of model.opsets) {
    w.message(8, (o) => {
      if (domain !== '') o.string(1, domain);
      o.int(2, version);
    });
  }
  for (const [key, value] of model.metadata) w.message(14, (m) => m.string(1, key).string(2, value));
  for (const { bytes } of model.functions) w.bytes(25, bytes);
  return w.finish();
}

function encodeGraph(w: Writer, graph: OnnxGraph): void {
  for (const node of graph.nodes) w.message(1, (n) => encodeNode(n, node));
  w.string(2, graph.name);
  for (const initializer of graph.initializers) w.message(5, (t) => encodeTensor(t, initializer));
  for (const value of graph.inputs) w.message(11, (v) => encodeValueInfo(v, value));
  for (const value of graph.outputs) w.message(12, (v) => encodeValueInfo(v, value));
  for (const value of graph.valueInfos) w.message(13, (v) => encodeValueInfo(v, value));
}

function encodeNode(w: Writer, node: OnnxNode): void {
  for (const input of node.inputs) w.string(1, input);
  for (const output of node.outputs) w.string(2, output);
  if (node.name !== '') w.string(3, node.name);
  w.string(4, node.op);
  for (const [name, attr] of node.attrs) w.message(5, (a) => encodeAttr(a, name, attr));
  if (node.domain !== '') w.string(7, node.domain);
}

function encodeAttr(w: Writer, name: string, attr: OnnxAttr): void {
  w.string(1, name);
  switch (attr.type) {
    case 'float':
      w.float(2, attr.value);
      break;
    case 'int':
      w.int(3, attr.value);
      break;
    case 'string':
      w.string(4, attr.value);
      break;
    case 'tensor':
      w.message(5, (t) => encodeTensor(t, attr.value));
      break;
    case 'graph':
      w.message(6, (g) => encodeGraph(g, attr.value));
      break;
    case 'floats':
      w.packedFloats(7, attr.value);
      break;
    case 'ints':
      w.packedInts(8, attr.value);
      break;
    case 'strings':
      for (const value of attr.value) w.string(9, value);
      break;
    case 'tensors':
      for (const value of attr.value) w.message(10, (t) => encodeTensor(t, value));
      break;
    case 'graphs':
      for (const value of attr.value) w.message(11, (g) => encodeGraph(g, value));
      break;
    case 'reference':
      w.string(21, attr.value).int(20, attr.attrType);
      return;
    case 'other':
      for (const [field, bytes] of attr.value) w.bytes(field, bytes);
      w.int(20, attr.attrType);
      return;
  }
  w.int(20, attrTypes[attr.type]);
}

function encodeTensor(w: Writer, t: OnnxTensor): void {
  w.packedInts(1, t.dims);
  w.int(2, dataTypes[t.dtype]);
  for (const value of t.strings ?? []) w.string(6, value);
  if (t.name !== '') w.string(8, t.name);
  if (t.strings === undefined) w.bytes(9, t.raw);
}

function encodeValueInfo(w: Writer, value: ValueInfo): void {
  w.string(1, value.name);
  const { dtype, dims, otherType } = value;
  if (otherType !== undefined) w.bytes(2, otherType);
  else if (dtype !== undefined) {
    w.message(2, (type) =>
      type.message(1, (t) => {
        t.int(1, dataTypes[dtype]);
        if (dims !== undefined) t.message(2, (shape) => dims.forEach((dim) => encodeDim(shape, dim)));
      }),
    );
  }
}

function encodeDim(w: Writer, dim: OnnxDim): void {
  w.message(1, (d) => {
    if (typeof dim === 'number') d.int(1, dim);
    else if (dim !== null) d.string(2, dim);
  });
}

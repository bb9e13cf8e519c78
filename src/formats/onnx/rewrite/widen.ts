import { fromHalfArray } from '../../../base/typed-bytes.ts';
import { dataTypes, tensor, tensorData } from '../model.ts';
import type { Model, OnnxAttr, OnnxGraph, OnnxNode, OnnxTensor, ValueInfo } from '../model.ts';

/** A float16 model in float32: the same weights, computed with more precision. Models of other types are unchanged. */
export function widened(model: Model): Model {
  return { ...model, graph: wideGraph(model.graph) };
}

function wideGraph(graph: OnnxGraph): OnnxGraph {
  return {
    ...graph,
    initializers: graph.initializers.map(wideTensor),
    inputs: graph.inputs.map(wideValue),
    outputs: graph.outputs.map(wideValue),
    nodes: graph.nodes.map(wideNode),
  };
}

function wideTensor(t: OnnxTensor): OnnxTensor {
  if (t.dtype !== 'float16') return t;
  return tensor(t.name, 'float32', t.dims, fromHalfArray(tensorData(t) as Uint16Array));
}

function wideValue(value: ValueInfo): ValueInfo {
  return value.dtype === 'float16' ? { ...value, dtype: 'float32' } : value;
}

function wideNode(node: OnnxNode): OnnxNode {
  return {
    ...node,
    attrs: new Map([...node.attrs].map(([key, attr]) => [key, wideAttr(node.op, key, attr)] as const)),
  };
}

function wideAttr(op: string, key: string, attr: OnnxAttr): OnnxAttr {
  if (attr.type === 'graph') return { type: 'graph', value: wideGraph(attr.value) };
  if (attr.type === 'tensor') return { type: 'tensor', value: wideTensor(attr.value) };
  const isType = op === 'Cast' && key === 'to' && attr.type === 'int' && Number(attr.value) === dataTypes.float16;
  return isType ? { type: 'int', value: dataTypes.float32 } : attr;
}

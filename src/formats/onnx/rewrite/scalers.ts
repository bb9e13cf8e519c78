import { dataTypes, tensor } from '../model.ts';
import type { OnnxAttr, OnnxGraph, OnnxNode, OnnxTensor } from '../model.ts';

/** A graph with a subtraction and a product in place of each `Scaler` of ai.onnx.ml, which skl2onnx writes in front of networks. */
export function withoutScalers(graph: OnnxGraph): OnnxGraph {
  const stored: OnnxTensor[] = [];
  const nodes = graph.nodes.flatMap((node, i) => {
    const [offset, scale] = ['offset', 'scale'].map((key) => floatsOf(node.attrs.get(key)));
    if (node.op !== 'Scaler' || node.domain !== 'ai.onnx.ml' || offset === undefined || scale === undefined)
      return [node];
    const output = node.outputs[0]!;
    // Numbered names, as an exporter has for what is no parameter.
    const [offsets, scales] = [`onnx::Scaler_offset_${i}`, `onnx::Scaler_scale_${i}`];
    stored.push(tensor(offsets, 'float32', [offset.length], offset), tensor(scales, 'float32', [scale.length], scale));
    const of = (
      op: string,
      inputs: readonly string[],
      result: string,
      attrs: OnnxNode['attrs'] = new Map(),
    ): OnnxNode => ({
      op,
      domain: '',
      name: node.name,
      inputs,
      outputs: [result],
      attrs,
    });
    return [
      of('Cast', [node.inputs[0]!], `${output}/float`, new Map([['to', { type: 'int', value: dataTypes.float32 }]])),
      of('Sub', [`${output}/float`, offsets], `${output}/centred`),
      of('Mul', [`${output}/centred`, scales], output),
    ];
  });
  return stored.length === 0 ? graph : { ...graph, nodes, initializers: [...graph.initializers, ...stored] };
}

function floatsOf(attr: OnnxAttr | undefined): Float32Array | undefined {
  return attr?.type === 'floats' ? Float32Array.from(attr.value) : undefined;
}

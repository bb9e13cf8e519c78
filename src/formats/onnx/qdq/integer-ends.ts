import type { TensorQuantization } from '../../../graph/quantization.ts';
import type { Model, OnnxNode, OnnxTensor } from '../model.ts';
import { tensor } from '../model.ts';
import { ARRAYS } from './weights.ts';

/** Inputs and outputs of a model that are to hold integers, with one scale each. */
export type IntegerEnds = ReadonlyMap<string, TensorQuantization>;

/** The model with int8 inputs and outputs in place of float32 ones that take and give the values of these integers. */
export function withIntegerEnds(model: Model, ends: IntegerEnds): Model {
  if (ends.size === 0) return model;
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const floats = new Map<string, string>();
  const convert = (op: string, end: string, from: string, to: string): OnnxNode => {
    const { scales, zeroPoints } = ends.get(end)!;
    const parameters = [`${end}/end/scale`, `${end}/end/zero_point`] as const;
    initializers.push(tensor(parameters[0], 'float32', [], Float32Array.from(scales)));
    initializers.push(tensor(parameters[1], 'int8', [], ARRAYS.int8.from(zeroPoints)));
    return { op, domain: '', name: '', inputs: [from, ...parameters], outputs: [to], attrs: new Map() };
  };
  const { inputs, outputs } = model.graph;
  for (const { name } of [...inputs, ...outputs]) if (ends.has(name)) floats.set(name, `${name}/end/float`);
  for (const { name } of inputs)
    if (ends.has(name)) nodes.push(convert('DequantizeLinear', name, name, floats.get(name)!));
  const renamed = (name: string): string => floats.get(name) ?? name;
  for (const node of model.graph.nodes)
    nodes.push({ ...node, inputs: node.inputs.map(renamed), outputs: node.outputs.map(renamed) });
  for (const { name } of outputs)
    if (ends.has(name)) nodes.push(convert('QuantizeLinear', name, floats.get(name)!, name));
  const typed = <T extends { readonly name: string }>(all: readonly T[]): T[] =>
    all.map((end) => (ends.has(end.name) ? { ...end, dtype: 'int8' } : end));
  return {
    ...model,
    graph: {
      ...model.graph,
      nodes,
      initializers: [...model.graph.initializers, ...initializers],
      inputs: typed(inputs),
      outputs: typed(outputs),
    },
  };
}

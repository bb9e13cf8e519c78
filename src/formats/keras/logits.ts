import type { Model, OnnxNode } from '../onnx/model.ts';

/** The model with the logits as its outputs in place of softmax over the last axis; the same model if it ends in none. */
export function withoutSoftmax(model: Model): Model {
  const { nodes } = model.graph;
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const ends = new Set(model.graph.outputs.map(({ name }) => name));
  const changed = nodes.map((node): OnnxNode => {
    const before = node.op === 'Identity' && ends.has(node.outputs[0]!) ? producers.get(node.inputs[0]!) : undefined;
    return before?.op === 'Softmax' ? { ...node, inputs: before.inputs } : node;
  });
  if (changed.every((node, i) => node === nodes[i])) return model;
  const read = new Set(changed.flatMap(({ inputs }) => inputs));
  const kept = changed.filter(({ op, outputs }) => op !== 'Softmax' || read.has(outputs[0]!));
  return { ...model, graph: { ...model.graph, nodes: kept } };
}

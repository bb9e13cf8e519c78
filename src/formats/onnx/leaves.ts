import type { Model, OnnxNode } from './model.ts';

/**
 * The model with the nodes that no other reads at the end, the first of them last. ONNX Runtime computes what the last node needs, then
 * what the one before it needs beyond that, and so on (`Graph::ReverseDFSFrom` from its leaves): with the nodes in plain order it goes
 * through the whole backward pass towards the first layer and computes the gradients of weights after it, while the gradients of all
 * activations wait. In this order each gradient of a weight is computed when its activation's is there, which is then let go.
 */
export function leavesLast(model: Model): Model {
  const { nodes } = model.graph;
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const isLeaf = ({ outputs }: OnnxNode): boolean => !outputs.some((output) => read.has(output));
  const inner = nodes.filter((node) => !isLeaf(node));
  return { ...model, graph: { ...model.graph, nodes: [...inner, ...nodes.filter(isLeaf).reverse()] } };
}

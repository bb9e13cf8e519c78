import type { Model, OnnxNode } from '../formats/onnx/model.ts';

/**
 * The same model with the order of its nodes in which ONNX Runtime holds the fewest values. It begins with the last of the nodes whose
 * results no other node reads, after all that this one needs, and so on to the first of them (`GraphViewer` in
 * onnxruntime/core/graph/graph_viewer.cc). If it began with the first layer's weights, it would go through all layers forwards and back
 * before it came to the gradients of the others, and hold every value of every layer until then: so it begins with what needs least.
 */
export function inOrder(model: Model): Model {
  const { nodes } = model.graph;
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const isLast = ({ outputs }: OnnxNode): boolean => !outputs.some((name) => read.has(name));
  const needs = needsOf(nodes);
  const last = nodes.filter(isLast).map((node) => ({ node, needs: needs(node) }));
  last.sort((a, b) => b.needs - a.needs);
  const ordered = [...nodes.filter((node) => !isLast(node)), ...last.map(({ node }) => node)];
  return { ...model, graph: { ...model.graph, nodes: ordered } };
}

/** How many nodes have to be computed before a node. */
function needsOf(nodes: readonly OnnxNode[]): (node: OnnxNode) => number {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  return (node) => {
    const found = new Set<OnnxNode>([node]);
    for (const { inputs } of found) {
      for (const name of inputs) {
        const maker = makers.get(name);
        if (maker !== undefined) found.add(maker);
      }
    }
    return found.size;
  };
}

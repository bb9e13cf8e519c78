import type { Model, OnnxNode } from '../../formats/onnx/model.ts';

/**
 * The same model with the order of its nodes in which ONNX Runtime holds the fewest values. It begins with the last of the nodes whose
 * results no other node reads, after all that this one needs, and so on to the first of them (`GraphViewer` in
 * onnxruntime/core/graph/graph_viewer.cc). If it began with the first layer's weights, it would go through all layers forwards and back
 * before it came to the gradients of the others, and hold every value of every layer until then: so it begins with what needs least.
 */
export function inOrder(model: Model): Model {
  const { nodes, outputs } = model.graph;
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const isLast = ({ outputs }: OnnxNode): boolean => !outputs.some((name) => read.has(name));
  const needs = needsOf(nodes);
  const last = nodes.flatMap((node, i) => (isLast(node) ? [{ node, needs: needs[i]! }] : []));
  last.sort((a, b) => b.needs - a.needs);
  const floats = new Set(outputs.flatMap(({ name, dtype }) => (dtype === 'float32' ? [name] : [])));
  const pinned = last.map(({ node }) => pinnedOf(node, floats));
  const ordered = [
    ...nodes.filter((node) => !isLast(node)),
    ...pinned.flatMap(({ first }) => first),
    ...pinned.map(({ end }) => end),
  ];
  return { ...model, graph: { ...model.graph, nodes: ordered } };
}

/** Nodes that ONNX Runtime may replace by others, which then come last in its list. */
const REPLACED = new Set(['Reshape', 'Transpose', 'Identity', 'Squeeze', 'Unsqueeze']);

/** A sum of one value is a copy of it that ONNX Runtime leaves where it is; such values have the size of weights, not of a batch. */
function pinnedOf(
  node: OnnxNode,
  floats: ReadonlySet<string>,
): { readonly first: readonly OnnxNode[]; readonly end: OnnxNode } {
  if (!REPLACED.has(node.op) || !floats.has(node.outputs[0]!)) return { first: [], end: node };
  const [output] = node.outputs as readonly [string];
  const before = `${output}/before`;
  const copy = { ...node, op: 'Sum', name: `${node.name}/copy`, inputs: [before], outputs: [output], attrs: new Map() };
  return { first: [{ ...node, outputs: [before] }], end: copy };
}

/**
 * Numbers of nodes that have to be computed before each node, itself included. The nodes come in an order in which they can be computed; one time
 * through them looks for 32 needed nodes, a bit each.
 */
function needsOf(nodes: readonly OnnxNode[]): Uint32Array {
  const places = new Map(nodes.flatMap(({ outputs }, i) => outputs.map((name) => [name, i] as const)));
  const makers = nodes.map(({ inputs }) => inputs.flatMap((name) => places.get(name) ?? []));
  const counts = new Uint32Array(nodes.length);
  for (let first = 0; first < nodes.length; first += 32) {
    const needed = new Uint32Array(nodes.length);
    for (let i = first; i < nodes.length; i++) {
      let bits = i < first + 32 ? 1 << (i - first) : 0;
      for (const maker of makers[i]!) bits |= needed[maker]!;
      needed[i] = bits;
      counts[i]! += ones(bits);
    }
  }
  return counts;
}

/** Bits of 32 that are set, by sums of neighbours (Hacker's Delight, figure 5-2). */
function ones(bits: number): number {
  const twos = bits - ((bits >>> 1) & 0x55555555);
  const fours = (twos & 0x33333333) + ((twos >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

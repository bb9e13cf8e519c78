import type { Model, OnnxNode } from '../../formats/onnx/model.ts';

/**
 * The model with its nodes in the order in which ONNX Runtime holds the fewest values. ONNX Runtime starts with the last node whose results no other
 * node reads, after everything that it needs, and so on to the first (`GraphViewer` in onnxruntime/core/graph/graph_viewer.cc). Starting with the
 * first layer's weights, it would go through all layers forward and backward before the gradients of the others, and hold every value until then: so
 * the node that needs least comes last in the list.
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

/** Ends such a node with a `Sum` of one value, a copy that ONNX Runtime does not replace; the values have the size of weights, not of a batch. */
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
 * For each node, the number of nodes that must be computed before it, itself included. `nodes` are in a valid order; each pass looks for 32 needed
 * nodes, one per bit.
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

/** Number of set bits of 32 (Hacker's Delight, figure 5-2). */
function ones(bits: number): number {
  const twos = bits - ((bits >>> 1) & 0x55555555);
  const fours = (twos & 0x33333333) + ((twos >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

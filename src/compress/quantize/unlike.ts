import { constantScale, MOST_APART, weightedNodes } from '../../graph/quantization.ts';
import type { Quantization } from '../../graph/quantization.ts';
import type { Graph, Node } from '../../graph/types.ts';

/**
 * Nodes behind the last layers with weights whose result has parts so unlike that one scale of 8 bits would leave little of the narrowest:
 * boxes in pixels beside scores, numbers that are brought to units of their own, temperatures in kelvin. With the values behind them, which
 * that scale would round too. In float32 they cost next to nothing there. What a layer with weights reads is none of these: it wants integers.
 */
export function unlikeEnds(
  graph: Graph,
  scales: Quantization,
): { nodes: readonly Node[]; values: ReadonlySet<string> } {
  const layers = layersIn(graph);
  const isRead = readBy(layers, graph);
  const sums = new Set([...layers].flatMap(({ outputs }) => outputs));
  const nodes: Node[] = [];
  const values = new Set<string>();
  for (const node of graph.nodes) {
    if (node.outputs.some(isRead)) continue;
    const isUnlike = apart(node, graph, scales, sums) > MOST_APART;
    if (isUnlike) nodes.push(node);
    if (isUnlike || node.inputs.some((name) => values.has(name))) node.outputs.forEach((name) => values.add(name));
  }
  return { nodes, values };
}

/** Ratio of the widest to the narrowest part of a node's result; 1 where nothing is known. `sums`: to which a bias is added. */
function apart({ op, inputs }: Node, { constants }: Graph, scales: Quantization, sums: ReadonlySet<string>): number {
  const floats = (name: string): Float32Array | undefined => {
    const data = constants.get(name)?.data;
    return data instanceof Float32Array && data.every(Number.isFinite) ? data : undefined;
  };
  const stepOf = (name: string): number[] => {
    const data = floats(name);
    const found = data === undefined ? scales.get(name) : constantScale(data, 'int8');
    return found === undefined ? [] : [found.scales[0]!];
  };
  if (op === 'Concat') return ratio(inputs.flatMap(stepOf));
  const [constant] = inputs.filter((name) => constants.has(name));
  const [other] = inputs.filter((name) => !constants.has(name));
  if (constant === undefined || other === undefined) return 1;
  if (op === 'Multiply' || (op === 'RealDiv' && inputs[1] === constant))
    return ratio([...(floats(constant) ?? [])].map(Math.abs).filter((factor) => factor > 0));
  if ((op !== 'Add' && op !== 'Sub') || sums.has(other)) return 1;
  const [[moved], [by]] = [stepOf(other), stepOf(constant)];
  return moved === undefined || by === undefined ? 1 : by / moved;
}

function ratio(widths: readonly number[]): number {
  const [most, least] = widths.reduce(([a, b], width) => [Math.max(a, width), Math.min(b, width)], [0, Infinity]);
  return most === 0 ? 1 : most / least;
}

function layersIn(graph: Graph): ReadonlySet<Node> {
  return new Set([...weightedNodes(graph), ...graph.nodes.filter(({ op }) => op === 'Conv2DBackpropInput')]);
}

/** Test of a value: whether a layer reads it, or something that is computed from it. */
function readBy(layers: ReadonlySet<Node>, graph: Graph): (name: string) => boolean {
  const read = new Set<string>();
  for (const node of graph.nodes.toReversed())
    if (layers.has(node) || node.outputs.some((name) => read.has(name))) node.inputs.forEach((name) => read.add(name));
  return (name) => read.has(name);
}

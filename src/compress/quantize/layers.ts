import { graphOf } from '../../graph/builder.ts';
import { readersOf, usesOf } from '../../graph/passes/uses.ts';
import { layersOf, weightedNodes } from '../../graph/quantization.ts';
import type { Graph, Node } from '../../graph/types.ts';

/** Stored biases by the name of the layer's result before the bias: one value for each channel, read by nothing else. */
export function biasesOf(graph: Graph): ReadonlyMap<string, string> {
  const uses = usesOf(graph);
  const found = new Map<string, string>();
  for (const { op, inputs, outputs } of graph.nodes) {
    if (op !== 'Add') continue;
    const channels = graph.types.get(outputs[0]!)!.shape.at(-1);
    const isBias = (name: string): boolean => {
      const constant = graph.constants.get(name);
      const shape = constant?.type.shape ?? [];
      return (
        constant?.data instanceof Float32Array && shape.length === 1 && shape[0] === channels && uses.get(name) === 1
      );
    };
    const [a, b] = inputs as [string, string];
    if (isBias(b)) found.set(a, b);
    else if (isBias(a)) found.set(b, a);
  }
  return found;
}

/**
 * Values that no int8 file has, because they are inside of a convolution there: its result before the bias, and that before a Relu or Relu6, where
 * nothing else reads them and no other layer, which could stay in float, computes what follows.
 */
export function insideConvolutions(graph: Graph): ReadonlySet<string> {
  const [biases, readers, layerOf] = [biasesOf(graph), readersOf(graph.nodes), layersOf(graph)];
  const ends = new Set(graph.outputs.values());
  const layers = new Set(weightedNodes(graph).map(({ outputs }) => layerOf.get(outputs[0]!)));
  const inside = new Set<string>();
  for (const { op, outputs } of weightedNodes(graph)) {
    if (op !== 'Conv2D' && op !== 'DepthwiseConv2dNative') continue;
    let value = outputs[0]!;
    const own = layerOf.get(value);
    const next = (ops: readonly string[]): string | undefined => {
      const [reader, ...others] = readers.get(value) ?? [];
      const result = reader?.outputs[0];
      if (result === undefined || !ops.includes(reader!.op) || others.length > 0 || ends.has(value)) return undefined;
      return layerOf.get(result) === own || !layers.has(layerOf.get(result)) ? result : undefined;
    };
    for (const ops of [biases.has(value) ? ['Add'] : [], ['Relu', 'Relu6']]) {
      const result = next(ops);
      if (result === undefined) continue;
      inside.add(value);
      value = result;
    }
  }
  return inside;
}

/** A graph of some nodes that follow each other, from the value `input` to the output `y`, which is `output`. */
export function layerAlone(graph: Graph, nodes: readonly Node[], input: string, output: string): Graph {
  const constants = nodes.flatMap(({ inputs }) =>
    inputs.flatMap((name) => (graph.constants.has(name) ? [[name, graph.constants.get(name)!] as const] : [])),
  );
  return graphOf({
    nodes,
    state: new Map(),
    updates: new Map(),
    inputs: new Map([[input, graph.types.get(input)!]]),
    constants: new Map(constants),
    outputs: new Map([['y', output]]),
  });
}

/** The layers with weights, by name, in the order of the graph. */
export function quantizableLayers(graph: Graph): string[] {
  const layers = layersOf(graph);
  return [...new Set(weightedNodes(graph).map(({ outputs }) => layers.get(outputs[0]!)!))];
}

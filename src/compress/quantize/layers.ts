import { graphOf } from '../../graph/builder.ts';
import { usesOf } from '../../graph/passes/uses.ts';
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

/** A graph of some nodes that follow each other, from the value `input` to the output `y`, which is `output`. */
export function layerAlone(graph: Graph, nodes: readonly Node[], input: string, output: string): Graph {
  const constants = nodes.flatMap(({ inputs }) =>
    inputs.flatMap((name) => (graph.constants.has(name) ? [[name, graph.constants.get(name)!] as const] : [])),
  );
  return graphOf({
    ...{ nodes, state: new Map(), updates: new Map() },
    inputs: new Map([[input, graph.types.get(input)!]]),
    constants: new Map(constants),
    outputs: new Map([['y', output]]),
  });
}

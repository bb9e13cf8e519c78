import { GraphBuilder } from '../builder.ts';
import type { Graph } from '../types.ts';

/** Graph without the nodes and constants that no output and no update needs. Inputs and state stay: they are the interface. */
export function removeDeadCode(graph: Graph): Graph {
  const needed = new Set([...graph.outputs.values(), ...graph.updates.values()]);
  const nodes = graph.nodes.toReversed().filter(({ inputs, outputs }) => {
    if (!outputs.some((name) => needed.has(name))) return false;
    for (const name of inputs) needed.add(name);
    return true;
  });
  const builder = new GraphBuilder();
  for (const [name, type] of graph.inputs) builder.input(name, type);
  for (const [name, type] of graph.state) builder.state(name, type);
  for (const [name, { type, data }] of graph.constants) if (needed.has(name)) builder.constant(type, data, name);
  for (const { op, inputs, attrs, layer, outputs } of nodes.reverse())
    builder.node(op, inputs, attrs, { layer, outputs });
  for (const [name, value] of graph.outputs) builder.output(name, value);
  for (const [name, value] of graph.updates) builder.update(name, value);
  return builder.build();
}

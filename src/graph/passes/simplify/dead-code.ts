import { graphOf } from '../../builder.ts';
import type { Graph } from '../../types.ts';

/** Graph without the nodes and constants that no output and no update needs. Inputs and state stay: they are the interface. */
export function removeDeadCode(graph: Graph): Graph {
  const needed = new Set([...graph.outputs.values(), ...graph.updates.values()]);
  const nodes = graph.nodes.toReversed().filter(({ inputs, outputs }) => {
    if (!outputs.some((name) => needed.has(name))) return false;
    for (const name of inputs) needed.add(name);
    return true;
  });
  const constants = new Map([...graph.constants].filter(([name]) => needed.has(name)));
  return graphOf({ ...graph, constants, nodes: nodes.reverse() });
}

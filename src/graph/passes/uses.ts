import type { Graph } from '../types.ts';

/** Number of readers of each value: nodes, outputs and updates. */
export function usesOf(graph: Graph): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  const count = (name: string): void => {
    uses.set(name, (uses.get(name) ?? 0) + 1);
  };
  for (const { inputs } of graph.nodes) inputs.forEach(count);
  for (const name of graph.outputs.values()) count(name);
  for (const name of graph.updates.values()) count(name);
  return uses;
}

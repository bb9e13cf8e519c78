import type { Graph, Node } from '../types.ts';

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

/** The nodes that read each value, in their order; one that reads it twice is there once. */
export function readersOf<Reader extends Pick<Node, 'inputs'>>(
  nodes: Iterable<Reader>,
): ReadonlyMap<string, readonly [Reader, ...Reader[]]> {
  const readers = new Map<string, [Reader, ...Reader[]]>();
  for (const node of nodes)
    for (const name of new Set(node.inputs)) {
      const known = readers.get(name);
      if (known === undefined) readers.set(name, [node]);
      else known.push(node);
    }
  return readers;
}

/** The node that gives each value. */
export function producersOf<Producer extends Pick<Node, 'outputs'>>(
  nodes: readonly Producer[],
): ReadonlyMap<string, Producer> {
  return new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
}

import { GraphBuilder } from '../builder.ts';
import type { Graph, Node } from '../types.ts';

/** Values that stand for a node's outputs in the new graph. `undefined`: the node itself, copied. */
export type Replacement = readonly string[] | undefined;

/**
 * A copy of `graph` in which `replace` may give other values for a node's outputs; it adds what it needs to the builder.
 * The node it gets has the new names of its inputs. Interface names never change, and names of copied nodes stay. Where it replaces
 * nothing, `graph` itself comes back.
 */
export function rewrite(graph: Graph, replace: (node: Node, builder: GraphBuilder) => Replacement): Graph {
  const builder = new GraphBuilder();
  const names = new Map<string, string>();
  const renamed = (name: string): string => names.get(name) ?? name;
  for (const [name, type] of graph.inputs) builder.input(name, type);
  for (const [name, type] of graph.state) builder.state(name, type);
  for (const [name, { type, data }] of graph.constants) builder.constant(type, data, name);
  for (const name of graph.types.keys()) builder.reserve(name);
  let isReplaced = false;
  for (const node of graph.nodes) {
    const moved = { ...node, inputs: node.inputs.map(renamed) };
    const values = replace(moved, builder);
    if (values === undefined)
      builder.node(node.op, moved.inputs, node.attrs, { layer: node.layer, outputs: node.outputs });
    else {
      isReplaced = true;
      node.outputs.forEach((name, i) => names.set(name, values[i]!));
    }
  }
  if (!isReplaced) return graph;
  for (const [name, value] of graph.outputs) builder.output(name, renamed(value));
  for (const [name, value] of graph.updates) builder.update(name, renamed(value));
  return builder.build();
}
